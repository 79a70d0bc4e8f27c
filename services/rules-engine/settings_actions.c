#include "settings_parts.h"
#include "topic.h"

#include <errno.h>
#include <stdlib.h>

void settings_target(struct action *out, struct config_node *node)
{
    out->location = config_string(node, "location", NULL);
    out->device = config_string(node, "device", NULL);
    out->actuator = config_require_name(node, "actuator");
    out->ttl_ms = config_duration(node, "ttl", SETTINGS_TTL_MS, 1, SETTINGS_WEEK_MS);
    out->retries = (unsigned)config_integer(node, "retries", SETTINGS_RETRIES, 0, 100);
    if (out->location && !topic_name_valid(out->location))
        config_problem(node, "location", "is \"%s\", must be a location's name", out->location);
    if (out->device && !topic_name_valid(out->device))
        config_problem(node, "device", "is \"%s\", must be a device's name", out->device);
}

static int read_command(struct action *out, struct config_node *node,
                        struct expression_references *references)
{
    settings_target(out, node);
    bool computed = config_has(node, "expression");
    out->value = config_value(node, "value");
    if (computed == (out->value.type != VALUE_NONE))
        config_problem(node, NULL, "needs either \"value\" or \"expression\"");
    return computed ? settings_expression(&out->expression, node, "expression", EXPRESSION_ANY,
                                          references)
                    : 0;
}

static int read_publish(struct action *out, struct config_node *node,
                        struct expression_references *references)
{
    out->measurement = config_require_name(node, "measurement");
    return settings_values(&out->values, &out->n_values, node, references);
}

int settings_actions(struct actions *out, struct config_node *node, const char *key,
                     struct expression_references *references)
{
    struct config_node *array = config_array(node, key);
    size_t n = config_length(array);
    out->items = calloc(n + 1, sizeof(*out->items));
    if (!out->items)
        return -ENOMEM;
    int error = 0;
    for (; out->n < n && !error; out->n++) {
        struct config_node *item = config_item(array, out->n);
        struct action *action = &out->items[out->n];
        if (config_has(item, "command") == config_has(item, "publish"))
            config_problem(item, NULL, "needs either \"command\" or \"publish\"");
        else if (config_has(item, "command"))
            error = read_command(action, config_object(item, "command"), references);
        else
            error = read_publish(action, config_object(item, "publish"), references);
    }
    return error;
}

void settings_free_actions(struct actions *actions)
{
    for (size_t i = 0; i < actions->n; i++) {
        expression_close(actions->items[i].expression);
        settings_free_values(actions->items[i].values, actions->items[i].n_values);
    }
    free(actions->items);
}
