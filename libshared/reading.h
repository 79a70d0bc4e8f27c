/* A reading: contract, section 2.1; proto/reading.schema.json.
 *
 * Building:  reading_reset(&r, ts, seq); reading_add(…)…; reading_encode(&r, &buffer);
 * and at the end of all  reading_free(&r);
 * The struct starts as `= {0}` and its memory serves reading after reading. */
#ifndef READING_H
#define READING_H

#include "buffer.h"
#include "value.h"

#include <stdint.h>

#define READING_FIELDS_MAX 1024 /* good or bad values in one reading */

struct reading_field {
    const char *name; /* borrowed */
    struct value value;
};

struct reading_fault {
    const char *name;   /* borrowed */
    const char *reason; /* borrowed: "out_of_range", "timeout", "missing"… */
};

struct reading {
    int64_t ts_ms; /* wall clock when the value was read */
    uint64_t seq;
    struct reading_field *fields; /* owned array */
    size_t n_fields;
    size_t fields_capacity;
    struct reading_fault *faults; /* owned array */
    size_t n_faults;
    size_t faults_capacity;
};

void reading_reset(struct reading *reading, int64_t ts_ms, uint64_t seq);
void reading_free(struct reading *reading);

/* Names and texts are borrowed until the next reset. A number that is not finite is put among the
 * faults as "not_a_number". Return 0, -ENOMEM, or -E2BIG past READING_FIELDS_MAX. */
int reading_add(struct reading *reading, const char *name, struct value value);
int reading_add_fault(struct reading *reading, const char *name, const char *reason);

/* Borrowed; NULL where there is no such good value. */
const struct value *reading_find(const struct reading *reading, const char *name);

/* How many readings of the same device and measurement never came between the one before, which had
 * this number and time, and this one. `seq` rises by one from 1 in each session of the agent; one
 * that falls while the time goes on begins a new session. 0 where none came before (last_seq 0). */
uint64_t reading_gap(const struct reading *reading, uint64_t last_seq, int64_t last_ms);

/* Appends one JSON object. Returns 0 or -ENOMEM. */
int reading_encode(const struct reading *reading, struct buffer *out);

/* Reads one object or an array of them and hands each over, in order; `reading` is borrowed for the
 * call, its names and texts until the end of reading_decode(); the same name may have the same
 * place in memory in all of them. The whole payload is checked first: nothing is handed over from a
 * payload that is bad. Returns 0, -ENOMEM, or -EBADMSG with a sentence in `error` that says what
 * and where. */
typedef void reading_fn(void *self, const struct reading *reading);
int reading_decode(const void *payload, size_t size, reading_fn *on_reading, void *self,
                   char *error, size_t error_size);

#endif
