#include "decide.h"
#include "duty.h"

#include <stdlib.h>

struct engine_memory decide_memory(const struct instance *instance)
{
    const struct rule *rule = instance->rule;
    const struct picture_device *device = instance->selected->device;
    const struct duty *duty = instance->duty;
    struct engine_memory out = {
        .rule = rule->scope.name,
        .place = {device->location, device->name},
        .active = rule_is_active(&instance->state),
        .stale = instance->state.stale,
        .waiting = rule_waits(&instance->state),
        .episode = instance->state.episode,
        .since_ms = instance->state.since_ms,
        .owing = (duty && duty->orders) || instance->owing,
        .changed = instance->changed,
        .by_hand = instance->by_hand,
        .meaning = rule->scope.meaning,
        .alerting = instance->ending || (rule->alerts && rule_is_active(&instance->state)),
        .severity = rule->severity,
    };
    if (duty) {
        out.failed = duty->failed;
        out.failed_episode = duty->failed_episode;
        out.fired_ms = duty->fired_ms;
        out.cleared_ms = duty->cleared_ms;
        out.controls = rule->control.kind == CONTROL_PID;
        out.pid = duty->pid;
        out.commanded = duty->commanded;
        out.said = duty->output;
    }
    return out;
}

void decide_tell_memory(struct engine *engine, struct instance *instance, bool owing)
{
    struct engine_memory memory = decide_memory(instance);
    memory.owing = owing;
    instance->wait_kept = memory.waiting;
    engine->handlers->on_memory(engine->self, &memory);
}

void decide_keep(struct engine *engine, struct instance *instance)
{
    decide_tell_memory(engine, instance, decide_memory(instance).owing);
}

void decide_queue(struct engine *engine, struct instance *instance)
{
    if (instance->queued)
        return;
    if (engine->n_queue == engine->queue_capacity) {
        size_t capacity = 2 * engine->queue_capacity + 64;
        struct instance **grown = realloc(engine->queue, capacity * sizeof(struct instance *));
        if (!grown) {
            engine->stats.no_memory++;
            return;
        }
        engine->queue = grown;
        engine->queue_capacity = capacity;
    }
    engine->queue[engine->n_queue++] = instance;
    instance->queued = true;
}

void engine_keep(struct engine *engine)
{
    for (size_t i = 0; i < engine->n_queue; i++) {
        struct instance *instance = engine->queue[i];
        instance->queued = false;
        decide_keep(engine, instance);
    }
    engine->n_queue = 0;
}

void decide_keep_wait(struct engine *engine, struct instance *instance)
{
    bool waits = rule_waits(&instance->state);
    if (waits && !instance->wait_kept)
        decide_queue(engine, instance);
    else if (!waits && instance->wait_kept)
        decide_keep(engine, instance);
}

void decide_begin_anew(struct engine *engine, struct instance *instance)
{
    rule_begin_anew(&instance->state, engine->time_ms);
    if (instance->wait_kept)
        decide_keep(engine, instance);
}

#define PID_KEPT_MS 10000 /* how old the memory of a pid may be: its next step makes up for it */

void decide_keep_pid(struct engine *engine, struct instance *instance)
{
    struct duty *duty = instance->duty;
    if (!duty || !duty->pid.running || duty->pid.last_ms - duty->kept_ms < PID_KEPT_MS)
        return;
    duty->kept_ms = duty->pid.last_ms;
    decide_queue(engine, instance);
}
