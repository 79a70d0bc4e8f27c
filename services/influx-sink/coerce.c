#include "coerce.h"

#include <math.h>

#define INTEGER_LIMIT                                                          \
    9223372036854775808.0 /* 2^63: the first that an integer field cannot hold \
                           */

static enum coerce_result as_float(struct lines *lines, const char *key, const struct value *value)
{
    if (value->type == VALUE_TEXT)
        return COERCE_FAILED;
    if (value->type == VALUE_BOOL) {
        lines_number(lines, key, value->boolean);
        return COERCE_DONE;
    }
    lines_field(lines, key, value);
    return COERCE_NOT_NEEDED;
}

static enum coerce_result as_integer(struct lines *lines, const char *key,
                                     const struct value *value)
{
    double whole;

    if (value->type == VALUE_TEXT)
        return COERCE_FAILED;
    if (value->type == VALUE_BOOL) {
        lines_integer(lines, key, value->boolean);
        return COERCE_DONE;
    }
    whole = nearbyint(value->number);
    if (!(whole >= -INTEGER_LIMIT && whole < INTEGER_LIMIT))
        return COERCE_FAILED;
    lines_integer(lines, key, (int64_t)whole);
    return whole == value->number ? COERCE_NOT_NEEDED : COERCE_ROUNDED;
}

enum coerce_result coerce_field(struct lines *lines, const char *key, const struct value *value,
                                enum field_type type)
{
    if (type == FIELD_FLOAT)
        return as_float(lines, key, value);
    if (type == FIELD_INTEGER)
        return as_integer(lines, key, value);
    if (value->type != (type == FIELD_TEXT ? VALUE_TEXT : VALUE_BOOL))
        return COERCE_FAILED;
    lines_field(lines, key, value);
    return COERCE_NOT_NEEDED;
}
