/* What a board's line says: raw values by the board's own field names, before scale and validity,
 * which are point.h's. Pure.
 *
 *   pairs    TEMP:23.5,HUM:61.0        by name; spaces around names and values do not count; all
 *                                      values are texts; of a name that comes twice the last counts
 *   json     {"temp":23.5,"a":[1]}     by key or, where the field begins with '/', by JSON Pointer
 *                                      (RFC 6901): "/a/0"; numbers, booleans and texts
 *   csv      23.5,61.0                 by position; no quoting; a line with fewer columns than are
 *                                      asked for is none
 *   pattern  T=(?<temp>[-0-9.]+)       by named capture */
#ifndef DECODE_H
#define DECODE_H

#include "pattern.h"
#include "value.h"

#include <stddef.h>

#define DECODE_FIELDS_MAX 65 /* 64 points and a sequence number */

enum decode_format { DECODE_PAIRS, DECODE_JSON, DECODE_CSV, DECODE_PATTERN };

struct decoder { /* strings are borrowed */
    enum decode_format format;
    const char *prefix;      /* what a line must begin with; not part of what is read */
    const char *separator;   /* between pairs or columns; not empty */
    const char *assign;      /* between a name and its value; not empty */
    struct pattern *pattern; /* owned by whoever made it */
    size_t n_fields;
    const char *fields[DECODE_FIELDS_MAX];
    unsigned positions[DECODE_FIELDS_MAX]; /* columns from 1; groups of the pattern */
};

/* Bytes of scratch that a line needs. */
#define DECODE_SCRATCH(n_fields, length) (((n_fields) + 1) * ((length) + 1))

/* Reads `line` and sets raw[i] to what it says of field i, VALUE_NONE where that is nothing. Texts
 * are put into `scratch`, DECODE_SCRATCH(n_fields, strlen(line)) bytes, and live as long as it
 * does. Returns how many of the fields were there; 0 where the line is not such a line at all. */
size_t decode(const struct decoder *decoder, const char *line, struct value *raw, char *scratch);

/* One of decode()'s forms, in a file of its own; the prefix is off already. */
size_t decode_json(const struct decoder *decoder, const char *line, struct value *raw,
                   char *scratch);

#endif
