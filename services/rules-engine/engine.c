#include "engine.h"
#include "instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_STEP_MS 1000 /* how often a rule that reads the clock is asked again */

struct engine {
    const struct settings *settings;
    const struct engine_handlers *handlers;
    void *self;
    struct picture *picture;
    struct agenda agenda;
    struct instance *first, **last; /* all instances, in the order they came up */
    struct reading *computed;       /* one for each derived value, which never meets itself */
    struct buffer message;
    struct engine_stats stats;
    int64_t time_ms;
};

/* What led to a decision; no reading where it was time. */
struct cause {
    const struct series *series;
    const struct reading *reading;
    bool retained;
};

static int take_reading(struct engine *engine, struct series *series, const struct reading *reading,
                        bool retained);

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
    engine->computed = calloc(settings->n_derived + 1, sizeof(*engine->computed));
    if (!engine->computed || picture_open(&engine->picture) < 0) {
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
    picture_close(engine->picture);
    free(engine);
}

static struct engine_place place_of(const struct instance *instance)
{
    const struct picture_device *device = instance->selected->device;
    return (struct engine_place){.location = device->location, .device = device->name};
}

static struct engine_memory memory_of(const struct instance *instance)
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

/* --- instances: a rule or derived value meets a device --- */

static struct instance *find_instance(const struct series *series, const struct scope *scope)
{
    for (size_t i = 0; i < series->n_watchers; i++)
        if (series->watchers[i]->scope == scope && series->watchers[i]->selected == series)
            return series->watchers[i];
    return NULL;
}

static bool selects(const struct scope *scope, const struct series *series)
{
    return strcmp(scope->measurement, series->measurement) == 0 &&
           settings_match(scope->location, series->device->location) &&
           settings_match(scope->device, series->device->name);
}

/* Finds or makes. 0 or -ENOMEM. */
static int meet(struct engine *engine, struct series *series, const struct rule *rule,
                const struct derived *derived, struct instance **out)
{
    *out = find_instance(series, rule ? &rule->scope : &derived->scope);
    if (*out)
        return 0;
    if (agenda_reserve(&engine->agenda, engine->stats.instances + 1) < 0)
        return -ENOMEM;
    int error = instance_open(out, engine->picture, rule, derived, series);
    struct instance *instance = *out;
    if (!instance)
        return error;
    instance->state.known_ms = engine->time_ms;
    instance->due.order = engine->stats.instances++;
    *engine->last = instance; /* kept even half-bound: the picture knows it */
    engine->last = &instance->next;
    return error;
}

/* All rules and derived values that select a series meet it, once. */
static int match(struct engine *engine, struct series *series)
{
    const struct settings *settings = engine->settings;
    struct instance *met;
    int error = 0;
    if (series->matched)
        return 0;
    for (size_t i = 0; i < settings->n_derived && !error; i++)
        if (selects(&settings->derived[i].scope, series))
            error = meet(engine, series, NULL, &settings->derived[i], &met);
    for (size_t i = 0; i < settings->n_rules && !error; i++)
        if (selects(&settings->rules[i].scope, series))
            error = meet(engine, series, &settings->rules[i], NULL, &met);
    series->matched = !error;
    return error;
}

/* --- what follows from an edge --- */

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
    int reference = expression_first_reference(rule->when);
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
    if (edge == RULE_NO_EDGE)
        return;
    struct engine_memory memory = memory_of(instance);
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

/* --- evaluation --- */

static void schedule(struct engine *engine, struct instance *instance)
{
    const struct rule *rule = instance->rule;
    int64_t at_ms = rule_deadline_ms(&instance->state, &rule->timing);
    bool reads_clock =
        expression_reads_clock(rule->when) || (rule->until && expression_reads_clock(rule->until));
    if (reads_clock && instance->live && engine->time_ms + CLOCK_STEP_MS < at_ms)
        at_ms = engine->time_ms + CLOCK_STEP_MS;
    if (at_ms == RULE_NEVER)
        agenda_remove(&engine->agenda, &instance->due);
    else
        agenda_set(&engine->agenda, &instance->due, at_ms);
}

static void step_rule(struct engine *engine, struct instance *instance, const struct cause *cause)
{
    engine->stats.steps++;
    struct rule_condition condition = {.when = {.type = VALUE_NONE}, .until = {.type = VALUE_NONE}};
    if (instance->live)
        condition = instance_condition(instance, engine->time_ms);
    enum rule_edge edge =
        rule_step(&instance->state, &instance->rule->timing, &condition, engine->time_ms);
    schedule(engine, instance);
    follow(engine, instance, edge, cause);
}

/* Computes and publishes. An unknown value is "missing": something it needs is. */
static void step_derived(struct engine *engine, struct instance *instance,
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
        return;
    }
    struct engine_place place = place_of(instance);
    if (!cause->retained) {
        engine->stats.derived++;
        engine->handlers->on_reading(engine->self, &place, derived->measurement,
                                     derived->scope.name, out);
    }
    take_reading(engine, instance->output, out, cause->retained);
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
        if (cause->retained)
            continue;
        instance->heard = true;
        step_rule(engine, instance, cause);
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
                step_rule(engine, series->watchers[i], &none);
    return 0;
}

/* --- memory and time --- */

static const struct rule *find_rule(const struct engine *engine, const struct engine_memory *memory)
{
    for (size_t i = 0; i < engine->settings->n_rules; i++) {
        const struct scope *scope = &engine->settings->rules[i].scope;
        if (strcmp(scope->name, memory->rule) == 0 &&
            settings_match(scope->location, memory->place.location) &&
            settings_match(scope->device, memory->place.device))
            return &engine->settings->rules[i];
    }
    return NULL;
}

int engine_restore(struct engine *engine, const struct engine_memory *memory, int64_t time_ms)
{
    const struct rule *rule = find_rule(engine, memory);
    struct instance *instance;
    engine->time_ms = time_ms;
    if (!rule)
        return -ENOENT;
    struct series *series = picture_series(engine->picture, memory->place.location,
                                           memory->place.device, rule->scope.measurement);
    if (!series || meet(engine, series, rule, NULL, &instance) < 0)
        return -ENOMEM;
    struct rule_state *state = &instance->state;
    if (instance->heard || memory->since_ms < state->since_ms)
        return 0;
    engine->stats.active += (uint64_t)memory->active - (uint64_t)rule_is_active(state);
    *state = (struct rule_state){
        .phase = memory->active ? RULE_ACTIVE : RULE_INACTIVE,
        .stale = memory->stale,
        .episode = memory->episode > state->episode ? memory->episode : state->episode,
        .since_ms = memory->since_ms,
        .known_ms = time_ms,
    };
    schedule(engine, instance);
    return 0;
}

void engine_remember(const struct engine *engine, engine_memory_fn *on_memory, void *self)
{
    for (const struct instance *instance = engine->first; instance; instance = instance->next) {
        if (!instance->rule || instance->state.episode == 0)
            continue;
        struct engine_memory memory = memory_of(instance);
        on_memory(self, &memory);
    }
}

int64_t engine_next_ms(const struct engine *engine)
{
    const struct agenda_item *due = agenda_first(&engine->agenda);
    return due ? due->at_ms : RULE_NEVER;
}

void engine_tick(struct engine *engine, int64_t time_ms)
{
    static const struct cause none = {NULL, NULL, false};
    engine->time_ms = time_ms;
    while (engine_next_ms(engine) <= time_ms)
        step_rule(engine, (struct instance *)agenda_first(&engine->agenda), &none);
}

struct engine_stats engine_stats(const struct engine *engine)
{
    return engine->stats;
}
