/* What a board's reply says: raw values by the board's own field names, before scale and validity,
 * which are point.h's. Pure. */
#ifndef DECODE_H
#define DECODE_H

#include "value.h"

#include <stddef.h>

#define DECODE_FIELDS_MAX 64

/* Both read `line` and set raw[i] to what it says of fields[i], VALUE_NONE where that is nothing.
 * Texts are put into `scratch`, which has strlen(line) + 1 bytes, and live as long as it does.
 * Return how many of the fields were there; 0 where the line is not such a reply at all. */
typedef size_t decode_fn(const char *line, const char *const *fields, size_t n_fields,
                         struct value *raw, char *scratch);

/* "TEMP:23.5,HUM:61.0": pairs separated by ',', name and value by the first ':'; spaces around
 * either do not count; all values are texts; a name that comes twice counts with its last value. */
decode_fn decode_pairs;

/* {"temp":23.5,"fan":false}: one object; numbers, booleans and texts. */
decode_fn decode_json;

#endif
