#include "control.h"
#include "duty.h"
#include "enable.h"

#include <math.h>

static bool number(const struct expression *expression, struct instance_view *view, double *out)
{
    struct value value = {.type = VALUE_NONE};
    if (expression)
        value = expression_evaluate(expression, instance_read, view);
    *out = value.number;
    return value.type == VALUE_NUMBER;
}

static struct value automatic(const struct control *control, struct instance_view *view)
{
    return control->automatic ? expression_evaluate(control->automatic, instance_read, view)
                              : value_bool(true);
}

static bool is(struct value value, bool wanted)
{
    return value.type == VALUE_BOOL && value.boolean == wanted;
}

static struct rule_condition both(bool when, bool until)
{
    return (struct rule_condition){.when = value_bool(when), .until = value_bool(until)};
}

void control_take_over(struct engine *engine, struct instance *instance)
{
    bool on = rule_is_active(&instance->state);
    instance->by_hand = false;
    if (!instance->duty && !(instance->duty = duty_open(instance->rule))) {
        engine->stats.no_memory++;
        return;
    }
    orders_forget(engine, instance);
    instance->state.since_ms = engine->time_ms; /* names the command */
    *(on ? &instance->duty->fired_ms : &instance->duty->cleared_ms) = engine->time_ms;
}

struct rule_condition control_on_off(const struct engine *engine, struct instance *instance)
{
    const struct control *control = &instance->rule->control;
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    struct rule_condition out = {.when = {.type = VALUE_NONE}, .until = {.type = VALUE_NONE}};
    double input, setpoint;
    struct value turn = automatic(control, &view);
    if (is(turn, false))
        instance->by_hand = true;
    if (!is(turn, true))
        return out;
    if (!enable_is_on(instance->rule, engine->time_ms)) {
        out = both(false, true);
    } else if (instance->live && number(control->input, &view, &input) &&
               number(control->setpoint, &view, &setpoint)) {
        bool low = input<setpoint - control->band / 2, high = input> setpoint + control->band / 2;
        out = control->cools ? both(high, low) : both(low, high);
    }
    if (out.until.type == VALUE_BOOL && rule_is_active(&instance->state) &&
        engine->time_ms < control_settled_ms(instance))
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

struct rule_condition control_watch(const struct instance *instance, int64_t time_ms)
{
    const struct control *control = &instance->rule->control;
    struct instance_view view = {.instance = instance, .time_ms = time_ms};
    double input, setpoint;
    bool held =
        !is(automatic(control, &view), true) ||
        (number(control->input, &view, &input) && number(control->setpoint, &view, &setpoint) &&
         fabs(input - setpoint) <= control->tolerance);
    return both(!held, held);
}

int64_t control_due_ms(const struct engine *engine, const struct instance *instance)
{
    const struct duty *duty = instance->duty;
    if (!instance->live || !duty || !duty->pid.running)
        return RULE_NEVER;
    int64_t due_ms = duty->pid.last_ms + instance->rule->control.pid.sample_ms;
    return due_ms > engine->time_ms ? due_ms : engine->time_ms + 1;
}

static void command(struct engine *engine, struct instance *instance, double output, double step)
{
    const struct rule *rule = instance->rule;
    struct duty *duty = instance->duty;
    if (duty->commanded && (output == duty->output || fabs(output - duty->output) < step))
        return;
    duty->commanded = true;
    duty->output = output;
    instance->state.since_ms = engine->time_ms; /* names the command */
    orders_forget(engine, instance);
    order_give(engine, instance, &rule->on_active.items[0], 0, value_number(output));
}

/* Outside of its hours. */
static void rest(struct engine *engine, struct instance *instance)
{
    const struct control *control = &instance->rule->control;
    struct pid *pid = &instance->duty->pid;
    pid->running = false;
    if (!control->has_safe)
        return;
    pid->output = control->safe;
    command(engine, instance, control->safe, 0);
}

/* Goes on from what is there now. */
static void follow(struct engine *engine, struct instance *instance, double setpoint, double input)
{
    const struct control *control = &instance->rule->control;
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    struct pid *pid = &instance->duty->pid;
    double output;
    if (!number(control->track, &view, &output))
        output = pid->output;
    pid_start(pid, &control->pid, output, setpoint - input, input, engine->time_ms);
}

void control_pid(struct engine *engine, struct instance *instance)
{
    const struct control *control = &instance->rule->control;
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    double input, setpoint;
    if (!instance->duty && !(instance->duty = duty_open(instance->rule))) {
        engine->stats.no_memory++;
        return;
    }
    struct pid *pid = &instance->duty->pid;
    if (engine->time_ms < pid->last_ms)
        pid->running = false; /* the clock was set back */
    if (pid->running && engine->time_ms - pid->last_ms < control->pid.sample_ms)
        return;
    bool by_hand = !is(automatic(control, &view), true);
    if (!by_hand && !enable_is_on(instance->rule, engine->time_ms)) {
        rest(engine, instance);
    } else if (!number(control->input, &view, &input) ||
               !number(control->setpoint, &view, &setpoint)) {
        engine->stats.unknown++;
        pid->running = false; /* what it does not see it does not add up */
    } else if (by_hand || !pid->running) {
        follow(engine, instance, setpoint, input);
        instance->duty->commanded = instance->duty->commanded && !by_hand;
    } else {
        command(engine, instance, pid_step(pid, &control->pid, setpoint, input, engine->time_ms),
                control->step);
    }
}
