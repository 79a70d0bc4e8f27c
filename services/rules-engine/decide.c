#include "absence.h"

#define CLOCK_STEP_MS 1000 /* how often a rule that reads the clock is asked again */

static struct engine_place place_of(const struct instance *instance)
{
    const struct picture_device *device = instance->selected->device;
    return (struct engine_place){.location = device->location, .device = device->name};
}

struct engine_memory decide_memory(const struct instance *instance)
{
    return (struct engine_memory){
        .rule = instance->rule->scope.name,
        .place = place_of(instance),
        .active = rule_is_active(&instance->state),
        .stale = instance->state.stale,
        .episode = instance->state.episode,
        .since_ms = instance->state.since_ms,
    };
}

static void give_commands(struct engine *engine, const struct instance *instance,
                          const struct actions *actions)
{
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    struct engine_place own = place_of(instance);
    for (size_t i = 0; i < actions->n; i++) {
        const struct action *action = &actions->items[i];
        struct engine_command command = {
            .place = {.location = action->location ? action->location : own.location,
                      .device = action->device ? action->device : own.device},
            .actuator = action->actuator,
            .rule = instance->scope->name,
            .value = action->expression
                         ? expression_evaluate(action->expression, instance_read, &view)
                         : action->value,
            .ttl_ms = action->ttl_ms,
            .time_ms = engine->time_ms,
        };
        if (command.value.type == VALUE_NONE) {
            engine->stats.unknown_values++;
            continue;
        }
        engine->stats.commands++;
        engine->handlers->on_command(engine->self, &command);
    }
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
    struct engine_memory memory = decide_memory(instance);
    engine->handlers->on_memory(engine->self, &memory);
    if (edge == RULE_FIRED) {
        engine->stats.active++;
        give_commands(engine, instance, &rule->on_active);
    } else if (edge == RULE_CLEARED) {
        engine->stats.active--;
        give_commands(engine, instance, &rule->on_inactive);
    }
    if (rule->alerts)
        give_alert(engine, instance, states[edge], cause);
}

/* A moment that is put off stays on the agenda as it is, and is looked at again when it comes:
 * every reading puts some moment off, and hardly any moment ever comes. */
void decide_schedule(struct engine *engine, struct instance *instance)
{
    const struct rule *rule = instance->rule;
    int64_t at_ms = rule_deadline_ms(&instance->state, &rule->timing);
    if (instance->live && rule->reads_clock && engine->time_ms + CLOCK_STEP_MS < at_ms)
        at_ms = engine->time_ms + CLOCK_STEP_MS;
    if (rule->absent_ms > 0 && !rule_is_active(&instance->state)) {
        int64_t silent_ms = absence_due_ms(engine, instance);
        at_ms = silent_ms < at_ms ? silent_ms : at_ms;
    }
    instance->due_ms = at_ms;
    if (at_ms == RULE_NEVER)
        agenda_remove(&engine->agenda, &instance->due);
    else if (instance->due.place == 0 || at_ms < instance->due.at_ms)
        agenda_set(&engine->agenda, &instance->due, at_ms);
}

void decide_rule(struct engine *engine, struct instance *instance, const struct cause *cause)
{
    engine->stats.steps++;
    struct rule_condition condition = {.when = {.type = VALUE_NONE}, .until = {.type = VALUE_NONE}};
    if (instance->rule->absent_ms > 0)
        condition = absence_condition(engine, instance);
    else if (instance->live)
        condition = instance_condition(instance, engine->time_ms);
    enum rule_edge edge =
        rule_step(&instance->state, &instance->rule->timing, &condition, engine->time_ms);
    decide_schedule(engine, instance);
    bool known = condition.until.type == VALUE_BOOL;
    if (edge != RULE_NO_EDGE)
        follow(engine, instance, edge, cause);
    else if (instance->owed && known)
        give_alert(engine, instance,
                   rule_is_active(&instance->state) ? ALERT_FIRING : ALERT_RESOLVED, cause);
    else if (!known)
        engine->stats.unknown++;
    if (known)
        instance->owed = false;
}

/* An unknown value is "missing": something it needs is. */
const struct reading *decide_derived(struct engine *engine, struct instance *instance,
                                     const struct cause *cause)
{
    const struct derived *derived = instance->derived;
    struct reading *out = &engine->computed[derived - engine->settings->derived];
    struct instance_view view = {.instance = instance, .time_ms = engine->time_ms};
    int64_t ts_ms = cause->reading->ts_ms;
    int error = 0;
    engine->stats.steps++;
    reading_reset(out, ts_ms > instance->output->ts_ms ? ts_ms : instance->output->ts_ms,
                  ++instance->seq);
    for (size_t i = 0; i < derived->n_values && !error; i++) {
        struct value value =
            expression_evaluate(derived->values[i].expression, instance_read, &view);
        error = value.type == VALUE_NONE
                    ? reading_add_fault(out, derived->values[i].name, "missing")
                    : reading_add(out, derived->values[i].name, value);
    }
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
