#include "settings_points.h"

#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int data_type_default(enum table table)
{
    return table_is_bits(table) ? DATA_BOOL : DATA_UINT16;
}

/* What goes with some types only. */
static void configure_part(struct encoding *out, struct config_node *node)
{
    static const char *const bytes[] = {"low", "high", NULL};

    if (out->type == DATA_BIT || out->type == DATA_BITS)
        out->bit = (unsigned)config_require_integer(node, "bit", 0, 15);
    if (out->type == DATA_BITS)
        out->width = (unsigned)config_require_integer(node, "width", 1, 16 - out->bit);
    if (out->type == DATA_INT8 || out->type == DATA_UINT8)
        out->high_byte = config_choice(node, "byte", bytes, 0) == 1;
    if (out->type == DATA_STRING)
        out->length = (unsigned)config_require_integer(node, "length", 1, DECODE_CELLS_MAX);
}

/* Reads "type" and what goes with it: "order", "bit", "width", "byte", "length". */
static void configure_encoding(struct encoding *out, enum table table, struct config_node *node)
{
    const char *order;

    *out = (struct encoding){0};
    out->type =
        (enum data_type)config_choice(node, "type", data_type_names, data_type_default(table));
    if (table_is_bits(table) && out->type != DATA_BOOL) {
        config_problem(node, "type", "of a %s is \"bool\" and nothing else", table_names[table]);
        out->type = DATA_BOOL;
    }
    configure_part(out, node);
    if (!config_has(node, "order"))
        return;
    order = config_require_string(node, "order");
    if (encoding_set_order(out, order) != 0)
        config_problem(node, "order",
                       "\"%s\" is no order of %s: ABCD, CDAB, BADC, DCBA are, for those of two "
                       "registers and more; AB and BA for one",
                       order, data_type_names[out->type]);
}

static void configure_span(struct span *out, const struct encoding *encoding,
                           struct config_node *node)
{
    unsigned cells = encoding_cells(encoding);

    out->address = (unsigned)config_require_integer(node, "address", 0, TABLE_SIZE - 1);
    out->count = cells ? cells : 1;
    if (span_end(out) > TABLE_SIZE) {
        config_problem(node, "address", "%u and the %u registers of a %s reach beyond 65535",
                       out->address, out->count, data_type_names[encoding->type]);
        out->address = 0;
    }
}

static enum point_type point_type_of(enum data_type type)
{
    if (type == DATA_BOOL || type == DATA_BIT)
        return POINT_BOOL;
    return type == DATA_STRING ? POINT_TEXT : POINT_NUMBER;
}

/* A point with names is published as a text, whatever number it is read as. */
static void refuse_arithmetic(struct config_node *node, enum data_type type)
{
    static const char *const keys[] = {"scale", "divide", "offset", "decimals", "valid"};

    if (type == DATA_STRING)
        config_problem(node, "names", "are for numbers, not for a string");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (config_has(node, keys[i]))
            config_problem(node, keys[i], "does not go with \"names\"");
}

int group_point_configure(struct group_point *out, struct config_node *node)
{
    int table = config_require_choice(node, "table", table_names);

    *out = (struct group_point){.span.table = table < 0 ? TABLE_HOLDING : (enum table)table};
    configure_encoding(&out->encoding, out->span.table, node);
    configure_span(&out->span, &out->encoding, node);
    if (config_has(node, "names"))
        refuse_arithmetic(node, out->encoding.type);
    point_configure_typed(&out->point, node,
                          config_has(node, "names") ? POINT_TEXT
                                                    : point_type_of(out->encoding.type));
    return labels_configure(&out->labels, node);
}

static void configure_scale(struct output *out, struct config_node *node)
{
    out->scale = config_number(node, "scale", 1);
    out->divide = config_number(node, "divide", 0);
    out->offset = config_number(node, "offset", 0);
    if (out->scale == 0) {
        config_problem(node, "scale", "must not be 0");
        out->scale = 1;
    }
    if (config_has(node, "scale") && config_has(node, "divide"))
        config_problem(node, "divide", "is the inverse of \"scale\": give one of the two");
}

void output_configure(struct output *out, struct actuator_settings *actuator,
                      struct config_node *node)
{
    static const char *const tables[] = {"coil", "holding", NULL};
    bool coil = config_require_choice(node, "table", tables) != 1;
    double min;
    double max;

    *out = (struct output){.span.table = coil ? TABLE_COIL : TABLE_HOLDING, .scale = 1};
    configure_encoding(&out->encoding, out->span.table, node);
    if (!encoding_writable(&out->encoding)) {
        config_problem(
            node, "type",
            "a %s cannot be written: a bool, or a number that fills its registers, is meant",
            data_type_names[out->encoding.type]);
        out->encoding = (struct encoding){.type = DATA_UINT16};
    }
    configure_span(&out->span, &out->encoding, node);
    if (out->encoding.type == DATA_BOOL) {
        actuator_configure_typed(actuator, node, ACTUATOR_BOOL);
        return;
    }
    actuator_configure_typed(actuator, node, ACTUATOR_NUMBER);
    configure_scale(out, node);
    output_range(out, &min, &max);
    actuator->min = actuator->min < min ? min : actuator->min;
    actuator->max = actuator->max > max ? max : actuator->max;
    if (actuator->min > actuator->max)
        config_problem(node, NULL, "its limits leave no value that a %s can hold",
                       data_type_names[out->encoding.type]);
}

int settings_check_conditions(const struct unit_settings *unit, struct config_node *node)
{
    struct fields fields = {0};
    int rc = 0;

    for (size_t i = 0; i < unit->n_groups && rc == 0; i++)
        for (size_t j = 0; j < unit->groups[i].n_points && rc == 0; j++)
            rc = fields_add(&fields, unit->groups[i].measurement,
                            unit->groups[i].points[j].point.name);
    for (size_t i = 0; i < unit->n_actuators && rc == 0; i++)
        actuator_check(&unit->actuators[i], &fields,
                       config_item(config_array(node, "actuators"), i));
    if (rc == 0)
        failsafe_check(&unit->feed.watchdog.missing, &fields, config_object(node, "watchdog"));
    fields_free(&fields);
    return rc;
}
