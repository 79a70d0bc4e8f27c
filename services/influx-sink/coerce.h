/* A value written as the type that its field has. Pure. */
#ifndef COERCE_H
#define COERCE_H

#include "field_types.h"
#include "lines.h"

enum coerce_result {
    COERCE_NOT_NEEDED,
    COERCE_DONE,    /* a boolean as a number */
    COERCE_ROUNDED, /* to a whole number */
    COERCE_FAILED   /* nothing was written */
};

/* `value` is a boolean, a number or a text. A whole number is the same in both kinds of number. */
enum coerce_result coerce_field(struct lines *lines, const char *key, const struct value *value,
                                enum field_type type);

#endif
