/* Readings of one topic joined to one payload: contract, section 2.1. One alone is no array. Pure.
 *
 * Filling: reading_array_add(…)…; payload = reading_array_end(…); reading_array_clear(…);
 * and at the end of all  reading_array_free(…);
 * The struct starts as `= {0}` and its memory serves array after array. */
#ifndef READING_ARRAY_H
#define READING_ARRAY_H

#include "buffer.h"
#include "reading.h"

#include <stdbool.h>
#include <stddef.h>

#define READING_ARRAY_MAX (32 * 1024) /* bytes from which on one is full */

struct reading_array {
    struct buffer text;
    bool several;
};

/* Append; return 0 or -ENOMEM. An encoded payload is a reading or an array of them. */
int reading_array_add(struct reading_array *array, const struct reading *reading);
int reading_array_add_encoded(struct reading_array *array, const char *payload, size_t size);

bool reading_array_is_empty(const struct reading_array *array);
bool reading_array_is_full(const struct reading_array *array);

/* The payload of an array that is not empty, borrowed; reading_array_clear() must follow. */
const char *reading_array_end(struct reading_array *array, size_t *size);
void reading_array_clear(struct reading_array *array);
void reading_array_free(struct reading_array *array);

#endif
