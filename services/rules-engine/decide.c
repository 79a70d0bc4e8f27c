#include "absence.h"
#include "control.h"
#include "duty.h"
#include "enable.h"

#define CLOCK_STEP_MS 1000 /* how often a rule that reads the clock is asked again */

static struct engine_place place_of(const struct instance *instance)
{
    const struct picture_device *device = instance->selected->device;
    return (struct engine_place){.location = device->location, .device = device->name};
}

bool decide_commands(const struct actions *actions)
{
    for (size_t i = 0; i < actions->n; i++)
        if (actions->items[i].actuator)
            return true;
    return false;
}

/* An unknown value is "missing": something it needs is. */
static int compute(struct reading *out, const struct derived_value *values, size_t n,
                   struct instance_view *view)
{
    int error = 0;
    for (size_t i = 0; i < n && !error; i++) {
        struct value value = expression_evaluate(values[i].expression, instance_read, view);
        error = value.type == VALUE_NONE ? reading_add_fault(out, values[i].name, "missing")
                                         : reading_add(out, values[i].name, value);
    }
    return error;
}

static void publish(struct engine *engine, const struct instance *instance,
                    const struct action *action)
{
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    struct duty *duty = instance->duty;
    struct engine_place place = place_of(instance);
    struct reading out = {0};
    bool later = engine->time_ms > duty->published_ms; /* no two readings have the same time */
    duty->published_ms = later ? engine->time_ms : duty->published_ms + 1;
    reading_reset(&out, duty->published_ms, ++duty->published);
    if (compute(&out, action->values, action->n_values, &view) < 0) {
        engine->stats.no_memory++;
    } else {
        engine->stats.derived++;
        engine->handlers->on_reading(engine->self, &place, action->measurement,
                                     instance->scope->name, &out);
    }
    reading_free(&out);
}

static void act(struct engine *engine, struct instance *instance, const struct actions *actions)
{
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    for (size_t i = 0; i < actions->n; i++) {
        const struct action *action = &actions->items[i];
        if (action->measurement) {
            publish(engine, instance, action);
            continue;
        }
        struct value value = action->expression
                                 ? expression_evaluate(action->expression, instance_read, &view)
                                 : action->value;
        if (value.type == VALUE_NONE)
            engine->stats.unknown_values++;
        else
            order_give(engine, instance, action, (unsigned)i, value);
    }
}

static void note_edge(struct engine *engine, struct instance *instance, bool fired)
{
    const struct rule *rule = instance->rule;
    orders_forget(engine, instance);
    instance->owing = instance->changed = instance->by_hand = false;
    engine->stats.active += fired ? 1 : UINT64_MAX;
    if (!instance->duty)
        instance->duty = duty_open(rule);
    if (!instance->duty)
        engine->stats.no_memory++;
    else if (fired)
        duty_fired(instance->duty, rule, engine->time_ms);
    else
        instance->duty->cleared_ms = engine->time_ms;
}

/* Before anything is done the memory says that it is owed, afterwards order.c that it is not. */
static void act_on_edge(struct engine *engine, struct instance *instance, bool fired)
{
    const struct rule *rule = instance->rule;
    const struct actions *actions = fired ? &rule->on_active : &rule->on_inactive;
    if (!instance->duty)
        return; /* note_edge() has counted */
    act(engine, instance, actions);
    if (decide_commands(actions) && !instance->duty->orders) /* no value was known */
        decide_tell_memory(engine, instance, false);
}

static void give_alert(struct engine *engine, const struct instance *instance,
                       enum alert_state state, const struct cause *cause)
{
    const struct rule *rule = instance->rule;
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    struct engine_place place = place_of(instance);
    struct template_names names = {place.location, place.device, rule->scope.name,
                                   alert_severity_name(rule->severity)};
    int reference = rule->when ? expression_first_reference(rule->when) : -1;
    buffer_clear(&engine->message);
    template_render(rule->message, &names, instance_read, &view, &engine->message);
    struct alert alert = {
        .state = state,
        .severity = rule->severity,
        .since_ms = engine->time_ms,
        .message = buffer_string(&engine->message),
        .rule = rule->scope.name,
        .episode = instance->state.episode,
        .cause = cause->reading,
        .cause_measurement = cause->reading ? cause->series->measurement : NULL,
    };
    if (reference >= 0)
        alert.value = instance_read(&view, EXPRESSION_CURRENT, (size_t)reference);
    else if (rule->absent_ms > 0)
        alert.value = absence_seconds(engine, instance);
    engine->stats.alerts++;
    engine->handlers->on_alert(engine->self, &place, &alert);
}

static void follow(struct engine *engine, struct instance *instance, enum rule_edge edge,
                   const struct cause *cause)
{
    static const enum alert_state states[] = {
        [RULE_FIRED] = ALERT_FIRING,
        [RULE_CLEARED] = ALERT_RESOLVED,
        [RULE_STALE] = ALERT_STALE,
        [RULE_RECOVERED] = ALERT_FIRING,
    };
    const struct rule *rule = instance->rule;
    bool switched = edge == RULE_FIRED || edge == RULE_CLEARED;
    if (switched)
        note_edge(engine, instance, edge == RULE_FIRED);
    decide_tell_memory(engine, instance,
                       (edge == RULE_FIRED && decide_commands(&rule->on_active)) ||
                           (edge == RULE_CLEARED && decide_commands(&rule->on_inactive)) ||
                           (!switched && decide_memory(instance).owing));
    if (switched)
        act_on_edge(engine, instance, edge == RULE_FIRED);
    if (rule->alerts)
        give_alert(engine, instance, states[edge], cause);
}

/* Before when it may not fire. */
static int64_t rested_ms(const struct instance *instance)
{
    int64_t rested_ms = duty_rested_ms(instance->duty, instance->rule);
    int64_t settled_ms = control_settled_ms(instance);
    return settled_ms > rested_ms ? settled_ms : rested_ms;
}

/* A moment that is put off stays on the agenda as it is, and is looked at again when it comes:
 * every reading puts some moment off, and hardly any moment ever comes. */
void decide_schedule(struct engine *engine, struct instance *instance)
{
    const struct rule *rule = instance->rule;
    int64_t at_ms = rule_deadline_ms(&instance->state, &rule->timing);
    if (instance->live && rule->reads_clock && engine->time_ms + CLOCK_STEP_MS < at_ms)
        at_ms = engine->time_ms + CLOCK_STEP_MS;
    if (instance->live && rule->n_asked > 0) {
        int64_t change_ms = instance_change_ms(instance, engine->time_ms);
        at_ms = change_ms < at_ms ? change_ms : at_ms;
    }
    if (rule->absent_ms > 0 && !rule_is_active(&instance->state) &&
        enable_is_on(rule, engine->time_ms)) { /* else silence will be looked at when it is */
        int64_t silent_ms = absence_due_ms(engine, instance);
        at_ms = silent_ms < at_ms ? silent_ms : at_ms;
    }
    if (instance->state.phase == RULE_WAITING) {
        int64_t earliest_ms = rested_ms(instance);
        at_ms = earliest_ms > at_ms ? earliest_ms : at_ms;
    }
    if (rule->control.kind == CONTROL_PID)
        at_ms = control_due_ms(engine, instance);
    else if (rule_is_active(&instance->state) && control_settled_ms(instance) > engine->time_ms &&
             control_settled_ms(instance) < at_ms)
        at_ms = control_settled_ms(instance);
    if (rule->has_hours && enable_change_ms(rule, engine->time_ms) < at_ms)
        at_ms = enable_change_ms(rule, engine->time_ms);
    instance->due_ms = at_ms;
    if (at_ms == RULE_NEVER)
        agenda_remove(&engine->agenda, &instance->due);
    else if (instance->due.place == 0 || at_ms < instance->due.at_ms)
        agenda_set(&engine->agenda, &instance->due, at_ms);
}

void decide_tell_again(struct engine *engine, struct instance *instance)
{
    static const struct cause none = {NULL, NULL, false};
    instance->owed = instance->unconfirmed = false;
    give_alert(engine, instance, instance->state.stale ? ALERT_STALE : ALERT_FIRING, &none);
}

/* A rule that was changed while it was active has to earn that anew; see engine_restore(). */
static void judge_changed(struct engine *engine, struct instance *instance,
                          struct rule_condition *condition)
{
    if (!instance->changed || condition->when.type != VALUE_BOOL)
        return;
    if (rule_is_active(&instance->state) && !condition->when.boolean) {
        condition->until = value_bool(true);
        return;
    }
    instance->changed = false;
    decide_keep(engine, instance);
}

static struct rule_condition condition_of(const struct engine *engine, struct instance *instance)
{
    const struct rule *rule = instance->rule;
    if (rule->control.kind == CONTROL_ON_OFF)
        return control_on_off(engine, instance);
    if (!enable_is_on(rule, engine->time_ms))
        return (struct rule_condition){.when = value_bool(false), .until = value_bool(true)};
    if (rule->absent_ms > 0)
        return absence_condition(engine, instance);
    if (!instance->live)
        return (struct rule_condition){.when = {.type = VALUE_NONE}, .until = {.type = VALUE_NONE}};
    return rule->control.kind == CONTROL_WATCH ? control_watch(instance, engine->time_ms)
                                               : instance_condition(instance, engine->time_ms);
}

/* While the broker is away, and until all who speak can have spoken again, it says nothing about
 * the devices that time passes. */
static bool is_put_off(struct engine *engine, struct instance *instance, const struct cause *cause)
{
    bool by_time = !cause->reading && (instance->rule->reads_clock || instance->rule->n_asked > 0);
    bool deaf = engine->deaf_ms > 0 && (engine->listening_ms == 0 ||
                                        engine->time_ms - engine->listening_ms < ABSENCE_GRACE_MS);
    if (!by_time || !deaf)
        return false;
    instance->due_ms = engine->time_ms + CLOCK_STEP_MS;
    agenda_set(&engine->agenda, &instance->due, instance->due_ms);
    return true;
}

void decide_rule(struct engine *engine, struct instance *instance, const struct cause *cause)
{
    if (is_put_off(engine, instance, cause))
        return;
    engine->stats.steps++;
    if (instance->rule->control.kind == CONTROL_PID) {
        if (instance->live)
            control_pid(engine, instance);
        decide_keep_pid(engine, instance);
        decide_schedule(engine, instance);
        return;
    }
    bool by_hand = instance->by_hand;
    struct rule_condition condition = condition_of(engine, instance);
    judge_changed(engine, instance, &condition);
    condition.rested_ms = rested_ms(instance);
    enum rule_edge edge =
        rule_step(&instance->state, &instance->rule->timing, &condition, engine->time_ms);
    decide_schedule(engine, instance);
    bool known = condition.until.type == VALUE_BOOL;
    if (edge == RULE_NO_EDGE)
        decide_keep_wait(engine, instance);
    if (instance->by_hand != by_hand)
        decide_queue(engine, instance);
    if (edge != RULE_NO_EDGE)
        follow(engine, instance, edge, cause);
    else if (instance->owed && known)
        give_alert(engine, instance,
                   rule_is_active(&instance->state) ? ALERT_FIRING : ALERT_RESOLVED, cause);
    else if (!known)
        engine->stats.unknown++;
    bool taken_over = instance->by_hand && known;
    if (taken_over)
        control_take_over(engine, instance);
    if (known && (taken_over || instance->owing)) { /* or a crash came in between */
        instance->owing = false;
        act_on_edge(engine, instance, rule_is_active(&instance->state));
    }
    if (known)
        instance->owed = false;
    if (instance->state.phase == RULE_WAITING && engine->time_ms < condition.rested_ms)
        engine->stats.held++;
}

const struct reading *decide_derived(struct engine *engine, struct instance *instance,
                                     const struct cause *cause)
{
    const struct derived *derived = instance->derived;
    struct reading *out = &engine->computed[derived - engine->settings->derived];
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    int64_t ts_ms = cause->reading->ts_ms;
    engine->stats.steps++;
    reading_reset(out, ts_ms > instance->output->ts_ms ? ts_ms : instance->output->ts_ms,
                  ++instance->seq);
    int error = compute(out, derived->values, derived->n_values, &view);
    if (error) {
        engine->stats.no_memory++;
        return NULL;
    }
    struct engine_place place = place_of(instance);
    if (!cause->retained) {
        engine->stats.derived++;
        engine->handlers->on_reading(engine->self, &place, derived->measurement,
                                     derived->scope.name, out);
    }
    return out;
}
