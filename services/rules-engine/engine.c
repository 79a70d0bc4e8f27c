#include "absence.h"
#include "duty.h"
#include "wildcard.h"

#include <errno.h>
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
        selector_open(&engine->selector, settings) < 0 ||
        hearing_open(&engine->hearing, settings) < 0) {
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
    orphans_free(&engine->orphans);
    free(engine->queue);
    hearing_close(&engine->hearing);
    selector_close(engine->selector);
    picture_close(engine->picture);
    free(engine);
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

bool decide_is_ours(const struct engine *engine, const char *location, const char *device)
{
    return shard_owns(&engine->settings->shard, location, device);
}

int decide_match(struct engine *engine, struct series *series)
{
    const struct selected *found;
    int error = 0;
    if (series->matched)
        return 0;
    series->matched = true;
    if (!decide_is_ours(engine, series->device->location, series->device->name))
        return 0;
    size_t n = selector_find(engine->selector, series->device->location, series->device->name,
                             series->measurement, &found);
    series->first_own = (uint32_t)series->n_watchers;
    for (size_t i = 0; i < n; i++) {
        int failed = meet(engine, series, &found[i]);
        error = failed ? failed : error;
    }
    series->n_own = (uint32_t)series->n_watchers - series->first_own;
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

/* A retained reading switches nothing, but may show that what a wait waits for was not true all the
 * time. */
static void judge_retained(struct engine *engine, struct instance *instance)
{
    if (!rule_waits(&instance->state) || instance->rule->control.kind != CONTROL_NONE ||
        instance->rule->absent_ms > 0)
        return;
    instance->state.paused = true;
    struct rule_condition condition = instance_condition(instance, engine->time_ms);
    const struct value *wanted =
        rule_is_active(&instance->state) ? &condition.until : &condition.when;
    if (wanted->type == VALUE_BOOL && !wanted->boolean)
        decide_begin_anew(engine, instance);
    decide_schedule(engine, instance);
}

/* The first live reading after nobody could listen: what was true before still counts as long as a
 * value that is not heard again does. A clock that went back meanwhile tells nothing, which is the
 * worst. */
static void resume(struct engine *engine, struct instance *instance)
{
    int64_t stale_after_ms = instance->scope->stale_after_ms;
    int64_t most_ms = stale_after_ms > 0 ? stale_after_ms : SETTINGS_STALE_AFTER_MS;
    int64_t deaf_ms = engine->deaf_ms > 0 ? engine->time_ms - engine->deaf_ms : 0;
    instance->state.paused = false;
    if (deaf_ms >= 0 && deaf_ms <= most_ms && instance->state.since_ms <= engine->time_ms)
        return;
    decide_begin_anew(engine, instance);
    if (instance->rule->control.kind == CONTROL_PID && instance->duty)
        instance->duty->pid.running = false;
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
            judge_retained(engine, instance);
            if (instance->rule->absent_ms > 0)
                decide_schedule(engine, instance);
            continue;
        }
        instance->heard = true;
        if (instance->state.paused)
            resume(engine, instance);
        decide_rule(engine, instance, cause);
    }
}

static void note_missing(struct engine *engine, const struct series *series)
{
    struct engine_place place = {series->device->location, series->device->name};
    engine->stats.missing += series->missing;
    if (engine->handlers->on_missing)
        engine->handlers->on_missing(engine->self, &place, series->measurement, series->missing);
}

static int take_reading(struct engine *engine, struct series *series, const struct reading *reading,
                        bool retained)
{
    int error = decide_match(engine, series);
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
    if (series->missing > 0)
        note_missing(engine, series);
    struct cause cause = {.series = series, .reading = reading, .retained = retained};
    step_watchers(engine, series, &cause);
    return 0;
}

bool engine_hears(struct engine *engine, const struct engine_place *place)
{
    bool wanted = hearing_wants(&engine->hearing, place->location, place->device);
    engine->stats.others += !wanted;
    return wanted;
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
    if (!decide_is_ours(engine, place->location, place->device) ||
        !absence_is_awaited(engine, place, measurement))
        return 0;
    struct series *series =
        picture_series(engine->picture, place->location, place->device, measurement);
    engine->time_ms = time_ms;
    return series ? decide_match(engine, series) : -ENOMEM;
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

void engine_slept(struct engine *engine, int64_t since_ms)
{
    engine->deaf_ms = since_ms;
}

/* Until resume(). */
static void pause(struct engine *engine, struct instance *instance)
{
    bool controls = instance->rule->control.kind == CONTROL_PID;
    if (instance->rule->absent_ms > 0 || !(rule_waits(&instance->state) || controls))
        return;
    instance->state.paused = true;
    decide_schedule(engine, instance);
}

void engine_listen(struct engine *engine, bool listening, int64_t time_ms)
{
    engine->time_ms = time_ms;
    if (!listening && engine->listening_ms > 0)
        engine->deaf_ms = time_ms;
    engine->listening_ms = listening ? time_ms : 0;
    if (listening)
        await_named(engine);
    engine->confirm_ms = listening ? time_ms + ENGINE_CONFIRM_MS : RULE_NEVER;
    for (struct instance *instance = engine->first; instance; instance = instance->next) {
        if (!instance->rule)
            continue;
        instance->unconfirmed =
            listening && instance->rule->alerts && rule_is_active(&instance->state);
        if (listening && engine->deaf_ms > 0)
            pause(engine, instance);
        if (listening)
            orphans_tell_of(engine, instance);
        if (instance->rule->absent_ms > 0)
            decide_schedule(engine, instance);
    }
    if (listening)
        orphans_tell(engine);
}

static void tell_unconfirmed(struct engine *engine)
{
    engine->confirm_ms = RULE_NEVER;
    for (struct instance *instance = engine->first; instance; instance = instance->next)
        if (instance->unconfirmed && rule_is_active(&instance->state))
            decide_tell_again(engine, instance);
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
