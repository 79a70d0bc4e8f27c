#include "decide.h"
#include "duty.h"
#include "wildcard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct instance *find_instance(const struct series *series, const struct scope *scope)
{
    for (size_t i = 0; i < series->n_watchers; i++)
        if (series->watchers[i]->scope == scope && series->watchers[i]->selected == series)
            return series->watchers[i];
    return NULL;
}

static const struct rule *find_rule(const struct engine *engine, const struct engine_memory *memory)
{
    for (size_t i = 0; i < engine->settings->n_rules; i++) {
        const struct scope *scope = &engine->settings->rules[i].scope;
        if (strcmp(scope->name, memory->rule) == 0 &&
            wildcard_matches(scope->location, memory->place.location) &&
            wildcard_matches(scope->device, memory->place.device))
            return &engine->settings->rules[i];
    }
    return NULL;
}

static struct instance *find_by_memory(struct engine *engine, const struct rule *rule,
                                       const struct engine_memory *memory)
{
    struct series *series = picture_series(engine->picture, memory->place.location,
                                           memory->place.device, rule->scope.measurement);
    return series && decide_match(engine, series) == 0 ? find_instance(series, &rule->scope) : NULL;
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

int engine_restore(struct engine *engine, const struct engine_memory *memory, int64_t time_ms)
{
    const struct rule *rule = find_rule(engine, memory);
    engine->time_ms = time_ms;
    if (!decide_is_ours(engine, memory->place.location, memory->place.device))
        return -ENOENT;
    if (!rule)
        return restore_failed(engine, memory);
    struct instance *instance = find_by_memory(engine, rule, memory);
    if (!instance)
        return -ENOMEM;
    struct rule_state *state = &instance->state;
    if (memory->announced && memory->active && memory->episode == state->episode)
        instance->unconfirmed = false;
    if (instance->heard)
        return 0;
    if (memory->since_ms < state->since_ms) {
        instance->owed = rule->alerts && memory->announced &&
                         (memory->active != rule_is_active(state) ||
                          (memory->active && memory->episode != state->episode));
        return 0;
    }
    instance->owed = rule->alerts && memory->active && !memory->announced;
    engine->stats.active += (uint64_t)memory->active - (uint64_t)rule_is_active(state);
    *state = (struct rule_state){
        .phase = memory->active ? RULE_ACTIVE : RULE_INACTIVE,
        .stale = memory->stale,
        .episode = memory->episode > state->episode ? memory->episode : state->episode,
        .since_ms = memory->since_ms,
        .known_ms = time_ms,
    };
    instance->owing = memory->owing;
    bool paced =
        rule->cool_down_ms > 0 || rule->max_per_hour > 0 || rule->control.kind == CONTROL_ON_OFF;
    if (paced && !instance->duty)
        instance->duty = duty_open(rule);
    if (paced && instance->duty) {
        duty_fired(instance->duty, rule, memory->since_ms);
        instance->duty->cleared_ms = memory->active ? 0 : memory->since_ms;
    }
    decide_schedule(engine, instance);
    return 0;
}

void engine_remember(const struct engine *engine, engine_memory_fn *on_memory, void *self)
{
    for (const struct instance *instance = engine->first; instance; instance = instance->next) {
        if (!instance->rule || instance->state.episode == 0)
            continue;
        struct engine_memory memory = decide_memory(instance);
        on_memory(self, &memory);
    }
}
