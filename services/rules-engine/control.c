#include "control.h"
#include "duty.h"

#include <math.h>

static bool number(const struct expression *expression, struct instance_view *view, double *out)
{
    struct value value = {.type = VALUE_NONE};
    if (expression)
        value = expression_evaluate(expression, instance_read, view);
    *out = value.number;
    return value.type == VALUE_NUMBER;
}

struct rule_condition control_condition(const struct instance *instance, int64_t time_ms)
{
    const struct control *control = &instance->rule->control;
    struct instance_view view = {.instance = instance, .time_ms = time_ms};
    struct rule_condition out = {.when = {.type = VALUE_NONE}, .until = {.type = VALUE_NONE}};
    double input, setpoint;
    if (!number(control->input, &view, &input) || !number(control->setpoint, &view, &setpoint))
        return out;
    bool low = input<setpoint - control->band / 2, high = input> setpoint + control->band / 2;
    out.when = value_bool(control->cools ? high : low);
    out.until = value_bool(control->cools ? low : high);
    if (rule_is_active(&instance->state) && time_ms < control_settled_ms(instance))
        out.until = value_bool(false);
    return out;
}

int64_t control_settled_ms(const struct instance *instance)
{
    const struct control *control = &instance->rule->control;
    if (control->kind != CONTROL_ON_OFF || !instance->duty)
        return INT64_MIN;
    return rule_is_active(&instance->state) ? instance->duty->fired_ms + control->min_on_ms
           : instance->duty->cleared_ms > 0 ? instance->duty->cleared_ms + control->min_off_ms
                                            : INT64_MIN;
}

int64_t control_due_ms(const struct engine *engine, const struct instance *instance)
{
    const struct duty *duty = instance->duty;
    if (!instance->live || !duty || !duty->pid.running)
        return RULE_NEVER;
    int64_t due_ms = duty->pid.last_ms + instance->rule->control.pid.sample_ms;
    return due_ms > engine->time_ms ? due_ms : engine->time_ms + 1;
}

static bool is_automatic(const struct control *control, struct instance_view *view)
{
    if (!control->automatic)
        return true;
    struct value value = expression_evaluate(control->automatic, instance_read, view);
    return value.type == VALUE_BOOL && value.boolean;
}

static void command(struct engine *engine, struct instance *instance, double output)
{
    const struct rule *rule = instance->rule;
    struct duty *duty = instance->duty;
    if (duty->commanded && fabs(output - duty->output) < rule->control.step)
        return;
    if (duty->commanded && output == duty->output)
        return;
    duty->commanded = true;
    duty->output = output;
    instance->state.since_ms = engine->time_ms; /* names the command */
    orders_forget(engine, instance);
    order_give(engine, instance, &rule->on_active.items[0], 0, value_number(output));
}

void control_pid(struct engine *engine, struct instance *instance)
{
    const struct control *control = &instance->rule->control;
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    double input, setpoint, tracked;
    if (!instance->duty && !(instance->duty = duty_open(instance->rule))) {
        engine->stats.no_memory++;
        return;
    }
    struct duty *duty = instance->duty;
    struct pid *pid = &duty->pid;
    if (pid->running && engine->time_ms - pid->last_ms < control->pid.sample_ms)
        return;
    if (!number(control->input, &view, &input) || !number(control->setpoint, &view, &setpoint)) {
        engine->stats.unknown++;
        pid->running = false; /* what it does not see it does not add up */
        return;
    }
    bool automatic = is_automatic(control, &view);
    if (!automatic || !pid->running) {
        if (!number(control->track, &view, &tracked))
            tracked = pid->output;
        pid_start(pid, &control->pid, tracked, setpoint - input, input, engine->time_ms);
        duty->commanded = duty->commanded && automatic;
        return;
    }
    command(engine, instance, pid_step(pid, &control->pid, setpoint, input, engine->time_ms));
}
