#include "latest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void latest_free(struct latest *latest)
{
    for (size_t i = 0; i < latest->n_values; i++)
        value_free(&latest->values[i].value);
    free(latest->values);
    *latest = (struct latest){0};
}

/* Looks from `first` on and around. Index of the value, n_values where there is none. */
static size_t find(const struct latest *latest, size_t first, const char *measurement,
                   const char *field)
{
    for (size_t i = 0; i < latest->n_values; i++) {
        size_t at = (first + i) % latest->n_values;
        const struct latest_value *value = &latest->values[at];

        if (strcmp(value->field, field) == 0 &&
            (measurement[0] == '\0' || strcmp(value->measurement, measurement) == 0))
            return at;
    }
    return latest->n_values;
}

/* At the end. Returns 0 or -ENOMEM. */
static int add(struct latest *latest, const char *measurement, const char *field)
{
    struct latest_value *grown =
        realloc(latest->values, (latest->n_values + 1) * sizeof *latest->values);

    if (!grown)
        return -ENOMEM;
    latest->values = grown;
    grown += latest->n_values++;
    *grown = (struct latest_value){.value = {.type = VALUE_NONE}};
    snprintf(grown->measurement, sizeof grown->measurement, "%s", measurement);
    snprintf(grown->field, sizeof grown->field, "%s", field);
    return 0;
}

void latest_take(struct latest *latest, const char *measurement, const struct reading *reading,
                 int64_t now_ms)
{
    size_t at = 0; /* the same fields come in the same order: each follows the one before */

    for (size_t i = 0; i < reading->n_fields; i++, at++) {
        const struct reading_field *field = &reading->fields[i];
        struct latest_value *kept;

        at = find(latest, at, measurement, field->name);
        if (at == latest->n_values && add(latest, measurement, field->name) != 0)
            continue;
        kept = &latest->values[at];
        value_free(&kept->value);
        value_copy(&kept->value, &field->value);
        kept->at_ms = now_ms;
    }
}

const struct latest_value *latest_find(const struct latest *latest, const char *measurement,
                                       const char *field)
{
    size_t at = find(latest, 0, measurement, field);

    return at < latest->n_values && latest->values[at].value.type != VALUE_NONE
               ? &latest->values[at]
               : NULL;
}
