#include "reading.h"

#include "reading_json.h"
#include "reading_plain.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reading_reset(struct reading *reading, int64_t ts_ms, uint64_t seq)
{
    reading->ts_ms = ts_ms;
    reading->seq = seq;
    reading->n_fields = 0;
    reading->n_faults = 0;
}

void reading_free(struct reading *reading)
{
    free(reading->fields);
    free(reading->faults);
    *reading = (struct reading){0};
}

/* Room for one more element behind `n`. Returns 0, -ENOMEM or -E2BIG. */
static int reserve(void **array, size_t *capacity, size_t n, size_t element_size)
{
    size_t wanted;
    void *grown;

    if (n < *capacity)
        return 0;
    if (n >= READING_FIELDS_MAX)
        return -E2BIG;
    wanted = n ? 2 * n : 8;
    grown = reallocarray(*array, wanted, element_size);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

int reading_add(struct reading *reading, const char *name, struct value value)
{
    void *fields = reading->fields;
    int error;

    if (value.type == VALUE_NUMBER && !isfinite(value.number))
        return reading_add_fault(reading, name, "not_a_number");
    error = reserve(&fields, &reading->fields_capacity, reading->n_fields, sizeof *reading->fields);
    if (error)
        return error;
    reading->fields = fields;
    reading->fields[reading->n_fields++] = (struct reading_field){name, value};
    return 0;
}

int reading_add_fault(struct reading *reading, const char *name, const char *reason)
{
    void *faults = reading->faults;
    int error =
        reserve(&faults, &reading->faults_capacity, reading->n_faults, sizeof *reading->faults);

    if (error)
        return error;
    reading->faults = faults;
    reading->faults[reading->n_faults++] = (struct reading_fault){name, reason};
    return 0;
}

const struct value *reading_find(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->n_fields; i++)
        if (strcmp(reading->fields[i].name, name) == 0)
            return &reading->fields[i].value;
    return NULL;
}

uint64_t reading_gap(const struct reading *reading, uint64_t last_seq, int64_t last_ms)
{
    if (last_seq == 0 || reading->seq == 0)
        return 0;
    if (reading->seq > last_seq)
        return reading->seq - last_seq - 1;
    return reading->ts_ms > last_ms ? reading->seq - 1 : 0;
}

int reading_decode(const void *payload, size_t size, reading_fn *on_reading, void *self,
                   char *error, size_t error_size)
{
    int result = reading_plain_decode(payload, size, on_reading, self);

    if (result == 0)
        return reading_json_decode(payload, size, on_reading, self, error, error_size);
    if (result < 0)
        snprintf(error, error_size, "out of memory");
    return result < 0 ? result : 0;
}
