#include "settings_parts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_STEP 1e-9 /* of a pid's range: what is less may be rounding */

/* The commands that a control block gives, as if they stood in "then" and "else". */
static int give_action(struct actions *out, struct config_node *node, struct value value)
{
    out->items = calloc(1, sizeof(*out->items));
    if (!out->items)
        return -ENOMEM;
    out->n = 1;
    out->items[0] = (struct action){.value = value};
    settings_target(&out->items[0], node);
    return 0;
}

/* Mostly just a number. */
static int read_setpoint(struct control *out, struct config_node *node,
                         struct expression_references *references)
{
    struct value value = config_value(node, "setpoint");
    struct expression_error where;
    char text[64];
    if (value.type != VALUE_NUMBER)
        return settings_expression(&out->setpoint, node, "setpoint", EXPRESSION_NUMBER, references);
    snprintf(text, sizeof(text), "%.17g", value.number);
    int error = expression_compile(&out->setpoint, text, strlen(text), EXPRESSION_NUMBER,
                                   references, &where);
    if (error != -EINVAL)
        return error;
    out->setpoint = NULL;
    config_problem(node, "setpoint", "is too large a number: %s", where.text);
    return 0;
}

static int read_common(struct control *out, struct config_node *node,
                       struct expression_references *references)
{
    int error = settings_expression(&out->input, node, "input", EXPRESSION_NUMBER, references);
    if (!error)
        error = read_setpoint(out, node, references);
    if (!error && config_has(node, "auto"))
        error = settings_expression(&out->automatic, node, "auto", EXPRESSION_BOOL, references);
    return error;
}

static int read_on_off(struct rule *rule, struct config_node *node)
{
    static const char *const kinds[] = {"heats", "cools", NULL};
    struct control *out = &rule->control;
    out->kind = CONTROL_ON_OFF;
    out->band = config_require_number(node, "band");
    out->cools = config_require_choice(node, "action", kinds) == 1;
    out->min_on_ms = config_duration(node, "min_on", 0, 0, SETTINGS_WEEK_MS);
    out->min_off_ms = config_duration(node, "min_off", 0, 0, SETTINGS_WEEK_MS);
    if (out->band < 0)
        config_problem(node, "band", "must not be negative");
    int error = read_common(out, node, &rule->scope.references);
    if (!error)
        error = give_action(&rule->on_active, node, value_bool(true));
    return error ? error : give_action(&rule->on_inactive, node, value_bool(false));
}

static int read_pid(struct rule *rule, struct config_node *node)
{
    struct expression_references *references = &rule->scope.references;
    struct control *out = &rule->control;
    out->kind = CONTROL_PID;
    out->pid = (struct pid_settings){
        .gain = config_require_number(node, "gain"),
        .integral_s = (double)config_duration(node, "integral", 0, 0, SETTINGS_WEEK_MS) / 1000,
        .derivative_s = (double)config_duration(node, "derivative", 0, 0, SETTINGS_WEEK_MS) / 1000,
        .minimum = config_require_number(node, "minimum"),
        .maximum = config_require_number(node, "maximum"),
        .sample_ms = config_duration(node, "sample", 1000, 10, SETTINGS_WEEK_MS),
    };
    out->step =
        fmax(config_number(node, "step", 0), (out->pid.maximum - out->pid.minimum) * SMALLEST_STEP);
    if (out->pid.minimum >= out->pid.maximum)
        config_problem(node, "maximum", "must be above \"minimum\"");
    if (config_has(node, "gain") && out->pid.gain == 0)
        config_problem(node, "gain", "must not be 0");
    out->has_safe = config_has(node, "safe");
    out->safe = config_number(node, "safe", 0);
    int error = read_common(out, node, references);
    if (!error && config_has(node, "track"))
        error = settings_expression(&out->track, node, "track", EXPRESSION_NUMBER, references);
    return error ? error : give_action(&rule->on_active, node, (struct value){.type = VALUE_NONE});
}

/* What only an alert has, and what it cannot do without. */
static void check_alert(struct rule *rule, struct config_node *node, struct config_node *block)
{
    static const char *const of_alert[] = {"for", "clear_for", "message"};
    for (size_t i = 0; i < sizeof(of_alert) / sizeof(of_alert[0]) && !rule->alerts; i++)
        if (config_has(node, of_alert[i]))
            config_problem(node, of_alert[i], "is about the alert: give it \"alert\": true");
    if (!rule->alerts && config_has(block, "tolerance"))
        config_problem(block, "tolerance", "is about the alert: give the rule \"alert\": true");
    if (!rule->alerts)
        return;
    rule->control.tolerance = config_require_number(block, "tolerance");
    if (rule->control.tolerance < 0)
        config_problem(block, "tolerance", "must not be negative");
    if (!config_has(node, "for"))
        config_problem(node, "for",
                       "is missing: how long the set-point may be missed before that is an alert");
}

int settings_control(struct rule *rule, struct config_node *node)
{
    static const char *const others[] = {"when", "until",     "absent",      "then",
                                         "else", "cool_down", "max_per_hour"};
    bool is_pid = config_has(node, "pid");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (config_has(node, others[i]))
            config_problem(node, others[i], "does not go with \"%s\"", is_pid ? "pid" : "on_off");
    if (is_pid && config_has(node, "on_off"))
        config_problem(node, "on_off", "does not go with \"pid\"");
    check_alert(rule, node, config_object(node, is_pid ? "pid" : "on_off"));
    return is_pid ? read_pid(rule, config_object(node, "pid"))
                  : read_on_off(rule, config_object(node, "on_off"));
}

void settings_free_control(struct control *control)
{
    expression_close(control->input);
    expression_close(control->setpoint);
    expression_close(control->automatic);
    expression_close(control->track);
    free(control->watch_name);
}
