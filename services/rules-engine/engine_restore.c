#include "decide.h"
#include "duty.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Among those that select the series, which came to it in the order of the settings: derived
 * values, then rules. */
static struct instance *find_instance(const struct series *series, const struct rule *rule)
{
    size_t from = series->first_own, to = from + series->n_own;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct instance *instance = series->watchers[middle];
        if (instance->rule == rule)
            return instance;
        if (instance->derived || instance->rule < rule)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

static const struct rule *find_rule(const struct engine *engine, const struct engine_memory *memory)
{
    return selector_rule(engine->selector, memory->place.location, memory->place.device,
                         memory->rule);
}

static struct instance *find_by_memory(struct engine *engine, const struct rule *rule,
                                       const struct engine_memory *memory)
{
    struct series *series = picture_series(engine->picture, memory->place.location,
                                           memory->place.device, rule->scope.measurement);
    return series && decide_match(engine, series) == 0 ? find_instance(series, rule) : NULL;
}

/* The alert about a failed command; a later command of the rule resolves it. */
static int restore_failed(struct engine *engine, const struct engine_memory *memory)
{
    char name[TOPIC_NAME_SIZE];
    struct engine_memory of_rule = *memory;
    size_t length = strlen(memory->rule), behind = strlen(SETTINGS_FAILED);
    if (length <= behind || strcmp(memory->rule + length - behind, SETTINGS_FAILED) != 0)
        return -ENOENT;
    snprintf(name, sizeof(name), "%.*s", (int)(length - behind), memory->rule);
    of_rule.rule = name;
    const struct rule *rule = find_rule(engine, &of_rule);
    if (!rule)
        return -ENOENT;
    struct instance *instance = find_by_memory(engine, rule, &of_rule);
    if (!instance)
        return -ENOMEM;
    if (!instance->duty)
        instance->duty = duty_open(rule);
    if (!instance->duty)
        return -ENOMEM;
    if (instance->duty->failed_episode < memory->episode) {
        instance->duty->failed = memory->active;
        instance->duty->failed_episode = memory->episode;
    }
    return 0;
}

/* Begun anew, but for what is owed to the actuator and to who was told. */
static void begin_changed(struct instance *instance)
{
    instance->changed = rule_is_active(&instance->state);
    rule_begin_anew(&instance->state, instance->state.since_ms);
    instance->wait_kept = false; /* the memory is written anew from what is here */
    if (instance->duty)
        instance->duty->pid.running = false;
}

/* The phase, and with it the schedule. */
static void take_state(struct engine *engine, struct instance *instance,
                       const struct engine_memory *memory)
{
    struct rule_state *state = &instance->state;
    enum rule_phase phases[2][2] = {{RULE_INACTIVE, RULE_WAITING}, {RULE_ACTIVE, RULE_CLEARING}};
    engine->stats.active += (uint64_t)memory->active - (uint64_t)rule_is_active(state);
    *state = (struct rule_state){
        .phase = phases[memory->active][memory->waiting],
        .stale = memory->stale,
        .paused = true,
        .episode = memory->episode > state->episode ? memory->episode : state->episode,
        .since_ms = memory->since_ms,
        .known_ms = engine->time_ms,
    };
    instance->owing = memory->owing && instance->rule->control.kind != CONTROL_PID;
    instance->by_hand = memory->by_hand;
    instance->wait_kept = memory->waiting;
    instance->changed = memory->changed && memory->active;
}

/* When it last fired and cleared; what does not say so means that its change was that. */
static int take_duty(struct instance *instance, const struct engine_memory *memory)
{
    const struct rule *rule = instance->rule;
    int64_t fired_ms = memory->fired_ms, cleared_ms = memory->cleared_ms;
    if (memory->episode > 0 && fired_ms == 0 && cleared_ms == 0)
        *(memory->active ? &fired_ms : &cleared_ms) = memory->since_ms;
    bool any = fired_ms > 0 || cleared_ms > 0 || memory->failed_episode > 0 || memory->controls;
    if (!any)
        return 0;
    if (!instance->duty && !(instance->duty = duty_open(rule)))
        return -ENOMEM;
    struct duty *duty = instance->duty;
    if (fired_ms > 0)
        duty_recall(duty, rule, fired_ms);
    duty->cleared_ms = cleared_ms;
    duty->failed = memory->failed;
    duty->failed_episode = memory->failed_episode;
    if (!memory->controls || rule->control.kind != CONTROL_PID)
        return 0;
    duty->pid = memory->pid;
    duty->commanded = memory->commanded && !memory->owing;
    duty->output = memory->said;
    return 0;
}

/* What the file says. */
static int take_memory(struct engine *engine, struct instance *instance,
                       const struct engine_memory *memory)
{
    const struct rule *rule = instance->rule;
    const struct rule_state *state = &instance->state;
    if (memory->episode < state->episode ||
        (memory->episode == state->episode && memory->since_ms < state->since_ms))
        return 0; /* older than what is known */
    int error = take_duty(instance, memory);
    if (error)
        return error;
    take_state(engine, instance, memory);
    instance->owed = rule->alerts && memory->active;
    instance->ending = memory->alerting && !rule->alerts;
    instance->silent = memory->meaning != 0 && memory->active && !memory->alerting;
    if (memory->meaning != 0 && memory->meaning != rule->scope.meaning)
        begin_changed(instance);
    decide_schedule(engine, instance);
    return 0;
}

/* What the broker shows: it may know better than the file, or be behind it. */
static int take_alert(struct engine *engine, struct instance *instance,
                      const struct engine_memory *alert)
{
    const struct rule *rule = instance->rule;
    const struct rule_state *state = &instance->state;
    if (!rule->alerts || instance->silent)
        return 0;
    bool same = alert->active == rule_is_active(state) && alert->episode == state->episode;
    if (same && alert->active)
        instance->unconfirmed = false;
    if (instance->heard)
        return 0;
    if (same || alert->since_ms < state->since_ms) {
        instance->owed = rule->alerts && !same && (alert->active || rule_is_active(state));
        return 0;
    }
    int error = take_duty(instance, alert);
    if (error)
        return error;
    take_state(engine, instance, alert);
    instance->owed = false;
    decide_schedule(engine, instance);
    return 0;
}

static const char *why_gone(const struct engine *engine, const char *rule)
{
    for (size_t i = 0; i < engine->settings->n_rules; i++)
        if (strcmp(engine->settings->rules[i].scope.name, rule) == 0)
            return "does not select this device any more";
    return "was taken out";
}

int engine_restore(struct engine *engine, const struct engine_memory *memory, int64_t time_ms)
{
    const struct rule *rule = find_rule(engine, memory);
    engine->time_ms = time_ms;
    if (!decide_is_ours(engine, memory->place.location, memory->place.device))
        return -ENOENT;
    if (!rule && memory->announced)
        return restore_failed(engine, memory);
    if (!rule) {
        int error = orphans_set(&engine->orphans, memory, why_gone(engine, memory->rule));
        return error ? error : -ENOENT;
    }
    struct instance *instance = find_by_memory(engine, rule, memory);
    if (!instance)
        return -ENOMEM;
    if (memory->announced)
        return take_alert(engine, instance, memory);
    return instance->heard ? 0 : take_memory(engine, instance, memory);
}

struct instance *engine_instance(struct engine *engine, const struct engine_place *place,
                                 const char *rule)
{
    struct engine_memory wanted = {.rule = rule, .place = *place};
    const struct rule *found = find_rule(engine, &wanted);
    struct series *series = found ? picture_series(engine->picture, place->location, place->device,
                                                   found->scope.measurement)
                                  : NULL;
    return series ? find_instance(series, found) : NULL;
}

static bool is_worth_it(const struct instance *instance)
{
    return instance->rule && (instance->state.episode > 0 || instance->duty ||
                              rule_waits(&instance->state) || instance->by_hand);
}

/* Once for each time in the hour that counts, and then as it is. */
static void remember(const struct engine *engine, const struct instance *instance,
                     engine_memory_fn *on_memory, void *self)
{
    struct engine_memory memory = decide_memory(instance);
    int64_t last_ms = memory.fired_ms;
    size_t n = instance->rule->max_per_hour > 0 && instance->duty
                   ? duty_n_kept(instance->duty, instance->rule)
                   : 0;
    for (size_t i = 0; i < n; i++) {
        memory.fired_ms = duty_kept_ms(instance->duty, instance->rule, i);
        if (memory.fired_ms < last_ms && engine->time_ms - memory.fired_ms < DUTY_HOUR_MS)
            on_memory(self, &memory);
    }
    memory.fired_ms = last_ms;
    on_memory(self, &memory);
}

bool engine_remember(const struct engine *engine, struct engine_cursor *cursor, size_t n,
                     engine_memory_fn *on_memory, void *self)
{
    if (!cursor->begun) {
        orphans_remember(&engine->orphans, on_memory, self);
        *cursor = (struct engine_cursor){.begun = true, .next = engine->first};
    }
    for (; cursor->next && n > 0; cursor->next = cursor->next->next, n--)
        if (is_worth_it(cursor->next))
            remember(engine, cursor->next, on_memory, self);
    return cursor->next != NULL;
}
