#include "absence.h"
#include "duty.h"
#include "wildcard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int engine_open(struct engine **out, const struct settings *settings,
                const struct engine_handlers *handlers, void *self)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return -ENOMEM;
    engine->settings = settings;
    engine->handlers = handlers;
    engine->self = self;
    engine->last = &engine->first;
    engine->confirm_ms = RULE_NEVER;
    engine->computed = calloc(settings->n_derived + 1, sizeof(*engine->computed));
    if (!engine->computed || picture_open(&engine->picture) < 0 ||
        selector_open(&engine->selector, settings) < 0) {
        engine_close(engine);
        return -ENOMEM;
    }
    *out = engine;
    return 0;
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    orders_free(&engine->orders);
    while (engine->first) {
        struct instance *next = engine->first->next;
        instance_close(engine->first);
        engine->first = next;
    }
    for (size_t i = 0; engine->computed && i < engine->settings->n_derived; i++)
        reading_free(&engine->computed[i]);
    free(engine->computed);
    buffer_free(&engine->message);
    agenda_free(&engine->agenda);
    selector_close(engine->selector);
    picture_close(engine->picture);
    free(engine);
}

static struct instance *find_instance(const struct series *series, const struct scope *scope)
{
    for (size_t i = 0; i < series->n_watchers; i++)
        if (series->watchers[i]->scope == scope && series->watchers[i]->selected == series)
            return series->watchers[i];
    return NULL;
}

/* 0 or -ENOMEM, -E2BIG; then what it could not be bound to is unknown to it. */
static int meet(struct engine *engine, struct series *series, const struct selected *selected)
{
    struct instance *instance;
    if (agenda_reserve(&engine->agenda, engine->stats.instances + 1) < 0)
        return -ENOMEM;
    int error =
        instance_open(&instance, engine->picture, selected->rule, selected->derived, series);
    if (!instance)
        return error;
    instance->state.known_ms = engine->time_ms;
    instance->due.order = engine->stats.instances++;
    *engine->last = instance; /* kept even half-bound: the picture knows it */
    engine->last = &instance->next;
    if (instance->rule && instance->rule->absent_ms > 0)
        decide_schedule(engine, instance);
    return error;
}

static bool is_ours(const struct engine *engine, const char *location, const char *device)
{
    return shard_owns(&engine->settings->shard, location, device);
}

/* All rules and derived values that select a series meet it, once. */
static int match(struct engine *engine, struct series *series)
{
    const struct selected *found;
    int error = 0;
    if (series->matched)
        return 0;
    series->matched = true;
    if (!is_ours(engine, series->device->location, series->device->name))
        return 0;
    size_t n = selector_find(engine->selector, series, &found);
    for (size_t i = 0; i < n; i++) {
        int failed = meet(engine, series, &found[i]);
        error = failed ? failed : error;
    }
    return error;
}

static int take_reading(struct engine *engine, struct series *series, const struct reading *reading,
                        bool retained);

static void step_derived(struct engine *engine, struct instance *instance,
                         const struct cause *cause)
{
    const struct reading *computed = decide_derived(engine, instance, cause);
    if (computed)
        take_reading(engine, instance->output, computed, cause->retained);
}

/* Derived values before rules, so that a rule that reads both sees the new ones. */
static void step_watchers(struct engine *engine, const struct series *series,
                          const struct cause *cause)
{
    for (size_t i = 0; i < series->n_watchers; i++)
        if (series->watchers[i]->derived)
            step_derived(engine, series->watchers[i], cause);
    for (size_t i = 0; i < series->n_watchers; i++) {
        struct instance *instance = series->watchers[i];
        if (instance->derived)
            continue;
        instance->live = !cause->retained;
        if (cause->retained) {
            if (instance->rule->absent_ms > 0)
                decide_schedule(engine, instance);
            continue;
        }
        instance->heard = true;
        decide_rule(engine, instance, cause);
    }
}

static int take_reading(struct engine *engine, struct series *series, const struct reading *reading,
                        bool retained)
{
    int error = match(engine, series);
    if (!error)
        error = series_take(series, reading, engine->time_ms);
    if (error == -EALREADY)
        engine->stats.duplicates++;
    else if (error == -ESTALE)
        engine->stats.old++;
    else if (error)
        engine->stats.no_memory++;
    if (error)
        return error == -EALREADY || error == -ESTALE ? 0 : error;
    struct cause cause = {.series = series, .reading = reading, .retained = retained};
    step_watchers(engine, series, &cause);
    return 0;
}

int engine_reading(struct engine *engine, const struct engine_place *place, const char *measurement,
                   const struct reading *reading, bool retained, int64_t time_ms)
{
    struct series *series =
        picture_series(engine->picture, place->location, place->device, measurement);
    engine->time_ms = time_ms;
    if (!series) {
        engine->stats.no_memory++;
        return -ENOMEM;
    }
    if (series->own)
        return 0; /* our own, back from the broker */
    if (retained)
        engine->stats.retained++;
    else
        engine->stats.readings++;
    return take_reading(engine, series, reading, retained);
}

int engine_status(struct engine *engine, const struct engine_place *place, bool offline,
                  int64_t since_ms, int64_t time_ms)
{
    struct picture_device *device = picture_device(engine->picture, place->location, place->device);
    static const struct cause none = {NULL, NULL, false};
    engine->time_ms = time_ms;
    if (!device)
        return -ENOMEM;
    device->offline = offline;
    device->offline_ms = since_ms;
    for (struct series *series = device->series; series; series = series->next)
        for (size_t i = 0; i < series->n_watchers; i++)
            if (series->watchers[i]->rule)
                decide_rule(engine, series->watchers[i], &none);
    return 0;
}

int engine_announced(struct engine *engine, const struct engine_place *place,
                     const char *measurement, int64_t time_ms)
{
    if (!is_ours(engine, place->location, place->device) ||
        !absence_is_awaited(engine->settings, place, measurement))
        return 0;
    struct series *series =
        picture_series(engine->picture, place->location, place->device, measurement);
    engine->time_ms = time_ms;
    return series ? match(engine, series) : -ENOMEM;
}

/* Those that a rule names without a pattern are there before they say a word. */
static void await_named(struct engine *engine)
{
    for (size_t i = 0; i < engine->settings->n_rules; i++) {
        const struct scope *scope = &engine->settings->rules[i].scope;
        struct engine_place place = {scope->location, scope->device};
        if (strchr(scope->location, '*') || strchr(scope->device, '*'))
            continue;
        if (engine_announced(engine, &place, scope->measurement, engine->time_ms) < 0)
            engine->stats.no_memory++;
    }
}

void engine_listen(struct engine *engine, bool listening, int64_t time_ms)
{
    engine->time_ms = time_ms;
    engine->listening_ms = listening ? time_ms : 0;
    if (listening)
        await_named(engine);
    engine->confirm_ms = listening ? time_ms + ENGINE_CONFIRM_MS : RULE_NEVER;
    for (struct instance *instance = engine->first; instance; instance = instance->next) {
        if (!instance->rule)
            continue;
        instance->unconfirmed =
            listening && instance->rule->alerts && rule_is_active(&instance->state);
        if (instance->rule->absent_ms > 0)
            decide_schedule(engine, instance);
    }
}

static void tell_unconfirmed(struct engine *engine)
{
    engine->confirm_ms = RULE_NEVER;
    for (struct instance *instance = engine->first; instance; instance = instance->next)
        if (instance->unconfirmed && rule_is_active(&instance->state))
            decide_tell_again(engine, instance);
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
    return series && match(engine, series) == 0 ? find_instance(series, &rule->scope) : NULL;
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

bool engine_result(struct engine *engine, const char *id, enum command_outcome outcome,
                   const char *reason, int64_t time_ms)
{
    engine->time_ms = time_ms;
    return orders_answered(engine, id, outcome, reason);
}

void engine_unheard(struct engine *engine)
{
    engine->orders.unheard = true;
}

int engine_restore(struct engine *engine, const struct engine_memory *memory, int64_t time_ms)
{
    const struct rule *rule = find_rule(engine, memory);
    engine->time_ms = time_ms;
    if (!is_ours(engine, memory->place.location, memory->place.device))
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

struct picture *engine_picture(struct engine *engine)
{
    return engine->picture;
}

static int64_t rules_next_ms(const struct engine *engine)
{
    const struct agenda_item *due = agenda_first(&engine->agenda);
    return due ? due->at_ms : RULE_NEVER;
}

int64_t engine_next_ms(const struct engine *engine)
{
    int64_t orders_ms = orders_next_ms(&engine->orders), rules_ms = rules_next_ms(engine);
    int64_t first_ms = orders_ms < rules_ms ? orders_ms : rules_ms;
    return first_ms < engine->confirm_ms ? first_ms : engine->confirm_ms;
}

void engine_tick(struct engine *engine, int64_t time_ms)
{
    static const struct cause none = {NULL, NULL, false};
    engine->time_ms = time_ms;
    if (engine->confirm_ms <= time_ms)
        tell_unconfirmed(engine);
    orders_tick(engine);
    while (rules_next_ms(engine) <= time_ms) {
        struct instance *instance = (struct instance *)agenda_first(&engine->agenda);
        if (instance->due_ms <= time_ms)
            decide_rule(engine, instance, &none);
        else /* it was put off meanwhile */
            agenda_set(&engine->agenda, &instance->due, instance->due_ms);
    }
}

struct engine_stats engine_stats(const struct engine *engine)
{
    return engine->stats;
}
