#include "point.h"

#include "boolean.h"
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DECIMALS_MAX 12

static const char *const type_names[] = {"number", "bool", "text", NULL};

static void configure_scale(struct point *out, struct config_node *node)
{
    out->scale = config_number(node, "scale", 1);
    if (config_has(node, "divide")) {
        double divide = config_number(node, "divide", 1);
        if (config_has(node, "scale"))
            config_problem(node, "divide", "is the inverse of \"scale\": give one of the two");
        else if (divide == 0)
            config_problem(node, "divide", "must not be 0");
        else
            out->divide = divide;
    }
    out->offset = config_number(node, "offset", 0);
    out->decimals = (int)config_integer(node, "decimals", -1, -1, DECIMALS_MAX);
}

static void configure_valid(struct point *out, struct config_node *node)
{
    struct config_node *valid = config_object(node, "valid");
    struct config_node *not_values = config_array(valid, "not");

    out->min = config_number(valid, "min", -INFINITY);
    out->max = config_number(valid, "max", INFINITY);
    if (out->min > out->max)
        config_problem(valid, "min", "is above \"max\"");
    if (config_length(not_values) > POINT_NOT_MAX)
        config_problem(valid, "not", "at most %d values", POINT_NOT_MAX);
    out->n_not_values = 0;
    for (size_t i = 0; i < config_length(not_values) && i < POINT_NOT_MAX; i++)
        out->not_values[out->n_not_values++] = config_number_at(not_values, i);
}

void point_configure_typed(struct point *out, struct config_node *node, enum point_type type)
{
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", config_require_name(node, "name"));
    out->unit = config_string(node, "unit", NULL);
    out->type = type;
    configure_scale(out, node);
    configure_valid(out, node);
}

void point_configure(struct point *out, struct config_node *node)
{
    point_configure_typed(out, node,
                          (enum point_type)config_choice(node, "type", type_names, POINT_NUMBER));
}

static double round_to(double number, int decimals)
{
    double factor = pow(10, decimals);
    double rounded = round(number * factor) / factor;

    return isfinite(rounded) ? rounded : number;
}

static bool means_nothing(const struct point *point, double raw)
{
    for (size_t i = 0; i < point->n_not_values; i++)
        if (raw == point->not_values[i])
            return true;
    return false;
}

static int add_number(const struct point *point, struct reading *reading, struct value raw)
{
    double number;

    if (raw.type == VALUE_NUMBER)
        number = raw.number;
    else if (raw.type == VALUE_BOOL)
        number = raw.boolean;
    else if (number_parse(raw.text, strlen(raw.text), &number) != 0)
        return reading_add_fault(reading, point->name, "not_a_number");
    if (means_nothing(point, number))
        return reading_add_fault(reading, point->name, "missing");
    number = point->divide != 0 ? number / point->divide : number * point->scale;
    number += point->offset;
    if (point->decimals >= 0)
        number = round_to(number, point->decimals);
    if (number < point->min || number > point->max)
        return reading_add_fault(reading, point->name, "out_of_range");
    return reading_add(reading, point->name, value_number(number));
}

static int add_bool(const struct point *point, struct reading *reading, struct value raw)
{
    bool boolean;

    if (boolean_read(&raw, &boolean) != 0)
        return reading_add_fault(reading, point->name, "out_of_range");
    return reading_add(reading, point->name, value_bool(boolean));
}

static int add_text(const struct point *point, struct reading *reading, struct value raw)
{
    if (raw.type != VALUE_TEXT)
        return reading_add_fault(reading, point->name, "out_of_range");
    return reading_add(reading, point->name, raw);
}

int point_add(const struct point *point, struct reading *reading, struct value raw)
{
    if (raw.type == VALUE_NONE)
        return reading_add_fault(reading, point->name, "missing");
    switch (point->type) {
    case POINT_NUMBER:
        return add_number(point, reading, raw);
    case POINT_BOOL:
        return add_bool(point, reading, raw);
    case POINT_TEXT:
        break;
    }
    return add_text(point, reading, raw);
}
