#include "explain.h"
#include "config_units.h"

#include <string.h>

static void say_duration(struct buffer *out, const char *before, int64_t ms)
{
    char text[CONFIG_UNITS_SIZE];
    if (ms <= 0)
        return;
    config_format_duration(text, ms);
    buffer_format(out, "%s%s", before, text);
}

static void say_selection(const struct scope *scope, struct buffer *out)
{
    buffer_format(out, "  selects %s of %s/%s\n", scope->measurement, scope->location,
                  scope->device);
}

static void say_values(const struct derived_value *values, size_t n, struct buffer *out)
{
    for (size_t i = 0; i < n; i++)
        buffer_format(out, "%s%s = %s", i > 0 ? ", " : "", values[i].name,
                      expression_text(values[i].expression));
}

void explain_value(const struct action *action, struct buffer *out)
{
    if (action->expression)
        buffer_text(out, expression_text(action->expression));
    else if (action->value.type == VALUE_BOOL)
        buffer_text(out, action->value.boolean ? "true" : "false");
    else if (action->value.type == VALUE_NUMBER)
        buffer_number(out, action->value.number);
    else if (action->value.type == VALUE_TEXT)
        buffer_format(out, "\"%s\"", action->value.text);
    else
        buffer_text(out, "its output");
}

static void say_command(const struct action *action, struct buffer *out)
{
    buffer_text(out, "command ");
    if (action->location || action->device)
        buffer_format(out, "%s/%s ", action->location ? action->location : "(same location)",
                      action->device ? action->device : "(same device)");
    buffer_format(out, "%s = ", action->actuator);
    explain_value(action, out);
    if (action->ttl_ms != SETTINGS_TTL_MS)
        say_duration(out, ", valid for ", action->ttl_ms);
    if (action->retries != SETTINGS_RETRIES)
        buffer_format(out, ", given again %u times at most", action->retries);
}

static void say_actions(const char *word, const struct actions *actions, struct buffer *out)
{
    for (size_t i = 0; i < actions->n; i++) {
        const struct action *action = &actions->items[i];
        buffer_format(out, "  %s ", word);
        if (action->measurement) {
            buffer_format(out, "publish %s: ", action->measurement);
            say_values(action->values, action->n_values, out);
        } else {
            say_command(action, out);
        }
        buffer_char(out, '\n');
    }
}

static void say_turn(const struct control *control, struct buffer *out)
{
    if (control->automatic)
        buffer_format(out, ", while %s", expression_text(control->automatic));
}

static void say_on_off(const struct control *control, struct buffer *out)
{
    buffer_format(out, "  keeps %s at %s by %s, switching ", expression_text(control->input),
                  expression_text(control->setpoint), control->cools ? "cooling" : "heating");
    buffer_number(out, control->band / 2);
    buffer_text(out, " above and below");
    say_duration(out, ", on for at least ", control->min_on_ms);
    say_duration(out, ", off for at least ", control->min_off_ms);
    say_turn(control, out);
    buffer_char(out, '\n');
}

static void say_pid(const struct control *control, struct buffer *out)
{
    const struct pid_settings *pid = &control->pid;
    buffer_format(out, "  keeps %s at %s by PID, output ", expression_text(control->input),
                  expression_text(control->setpoint));
    buffer_number(out, pid->minimum);
    buffer_text(out, " to ");
    buffer_number(out, pid->maximum);
    say_duration(out, ", a step each ", pid->sample_ms);
    say_turn(control, out);
    buffer_char(out, '\n');
}

static void say_watch(const struct control *control, struct buffer *out)
{
    buffer_format(out, "  fires when %s is not within ", expression_text(control->input));
    buffer_number(out, control->tolerance);
    buffer_format(out, " of %s, or one of them is not known", expression_text(control->setpoint));
    say_turn(control, out);
}

static void say_absence(const struct rule *rule, struct buffer *out)
{
    say_duration(out, "  fires when no good value came for ", rule->absent_ms);
    buffer_text(out, ", until one comes\n");
}

static void say_condition(const struct rule *rule, struct buffer *out)
{
    if (rule->control.kind == CONTROL_WATCH)
        say_watch(&rule->control, out);
    else
        buffer_format(out, "  fires when %s", expression_text(rule->when));
    say_duration(out, ", for ", rule->timing.for_ms);
    buffer_format(out, "; until %s", rule->until ? expression_text(rule->until) : "that is false");
    say_duration(out, ", for ", rule->timing.clear_for_ms);
    buffer_char(out, '\n');
}

static void say_cause(const struct rule *rule, struct buffer *out)
{
    if (rule->control.kind == CONTROL_ON_OFF)
        say_on_off(&rule->control, out);
    else if (rule->control.kind == CONTROL_PID)
        say_pid(&rule->control, out);
    else if (rule->absent_ms > 0)
        say_absence(rule, out);
    else
        say_condition(rule, out);
}

/* What keeps it from firing. */
static void say_pace(const struct rule *rule, struct buffer *out)
{
    say_duration(out, "  not again within ", rule->cool_down_ms);
    if (rule->cool_down_ms > 0)
        buffer_char(out, '\n');
    if (rule->max_per_hour > 0)
        buffer_format(out, "  at most %zu times an hour\n", rule->max_per_hour);
    if (rule->has_hours)
        buffer_format(out, "  only from %02d:%02d to %02d:%02d of its days, else inactive\n",
                      rule->hours.from_minute / 60, rule->hours.from_minute % 60,
                      rule->hours.to_minute / 60, rule->hours.to_minute % 60);
    if (rule->has_hours && rule->control.has_safe) {
        buffer_text(out, "  rests at ");
        buffer_number(out, rule->control.safe);
        buffer_char(out, '\n');
    }
}

static void say_rule(const struct rule *rule, struct buffer *out)
{
    buffer_format(out, "rule %s\n", rule->scope.name);
    say_selection(&rule->scope, out);
    say_cause(rule, out);
    say_pace(rule, out);
    if (rule->alerts)
        buffer_format(out, "  alert %s (%s)\n", rule->scope.name,
                      alert_severity_name(rule->severity));
    say_actions("then", &rule->on_active, out);
    say_actions("else", &rule->on_inactive, out);
}

void explain_settings(const struct settings *settings, struct buffer *out)
{
    for (size_t i = 0; i < settings->n_derived; i++) {
        const struct derived *derived = &settings->derived[i];
        buffer_format(out, "derived %s\n", derived->scope.name);
        say_selection(&derived->scope, out);
        buffer_format(out, "  publish %s: ", derived->measurement);
        say_values(derived->values, derived->n_values, out);
        buffer_char(out, '\n');
    }
    for (size_t i = 0; i < settings->n_rules; i++)
        say_rule(&settings->rules[i], out);
}
