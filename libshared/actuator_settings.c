#include "actuator_settings.h"

#include "boolean.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"bool", "number", "text", NULL};

void actuator_configure_typed(struct actuator_settings *out, struct config_node *node,
                              enum actuator_type type)
{
    struct value safe = config_value(node, "safe");

    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", config_require_name(node, "name"));
    out->type = type;
    out->unit = config_string(node, "unit", NULL);
    out->min = -INFINITY;
    out->max = INFINITY;
    if (out->type == ACTUATOR_NUMBER) {
        out->min = config_number(node, "min", -INFINITY);
        out->max = config_number(node, "max", INFINITY);
    }
    if (out->min > out->max)
        config_problem(node, "min", "is above \"max\"");
    if (safe.type != VALUE_NONE && actuator_convert(out, &safe, &out->safe) != NULL) {
        out->safe = (struct value){.type = VALUE_NONE};
        config_problem(node, "safe", "is no value that this actuator takes");
    }
}

void actuator_configure(struct actuator_settings *out, struct config_node *node)
{
    actuator_configure_typed(
        out, node, (enum actuator_type)config_choice(node, "type", type_names, ACTUATOR_BOOL));
}

const char *actuator_convert(const struct actuator_settings *settings, const struct value *from,
                             struct value *out)
{
    bool boolean;

    switch (settings->type) {
    case ACTUATOR_BOOL:
        if (boolean_read(from, &boolean) != 0)
            return "bad_value";
        *out = value_bool(boolean);
        return NULL;
    case ACTUATOR_NUMBER:
        if (from->type != VALUE_NUMBER || !isfinite(from->number))
            return "bad_value";
        *out = *from;
        return from->number < settings->min || from->number > settings->max ? "out_of_range" : NULL;
    case ACTUATOR_TEXT:
        break;
    }
    *out = *from;
    return from->type == VALUE_TEXT ? NULL : "bad_value";
}
