#include "orphans.h"
#include "decide.h"
#include "duty.h"
#include "hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 65536 /* they are made with the first orphan: most engines never have one */

struct orphan {
    struct orphan *next; /* of the same bucket */
    const char *why;
    struct engine_memory memory; /* its strings are the next three */
    char location[TOPIC_NAME_SIZE], device[TOPIC_NAME_SIZE], rule[TOPIC_NAME_SIZE];
};

static struct orphan **find(const struct orphans *orphans, const struct engine_place *place,
                            const char *rule)
{
    uint64_t hash = hash_text(HASH_START, place->location);
    hash = hash_text(hash_text(hash, place->device), rule);
    struct orphan **at = &orphans->buckets[(hash ^ hash >> 32) % BUCKETS];
    while (*at && (strcmp((*at)->rule, rule) != 0 || strcmp((*at)->device, place->device) != 0 ||
                   strcmp((*at)->location, place->location) != 0))
        at = &(*at)->next;
    return at;
}

static struct orphan *make(const struct engine_memory *memory)
{
    struct orphan *orphan = calloc(1, sizeof(*orphan));
    if (!orphan)
        return NULL;
    snprintf(orphan->location, sizeof(orphan->location), "%s", memory->place.location);
    snprintf(orphan->device, sizeof(orphan->device), "%s", memory->place.device);
    snprintf(orphan->rule, sizeof(orphan->rule), "%s", memory->rule);
    return orphan;
}

static void take_away(struct orphans *orphans, struct orphan **at)
{
    struct orphan *gone = *at;
    *at = gone->next;
    free(gone);
    orphans->n--;
}

int orphans_set(struct orphans *orphans, const struct engine_memory *memory, const char *why)
{
    bool empty = !memory->alerting && !memory->failed;
    if (empty && orphans->n == 0)
        return 0;
    if (!orphans->buckets && !(orphans->buckets = calloc(BUCKETS, sizeof(struct orphan *))))
        return -ENOMEM;
    struct orphan **at = find(orphans, &memory->place, memory->rule);
    if (empty) {
        if (*at)
            take_away(orphans, at);
        return 0;
    }
    if (!*at) {
        if (!(*at = make(memory)))
            return -ENOMEM;
        orphans->n++;
    }
    struct orphan *orphan = *at;
    orphan->why = why;
    orphan->memory = *memory;
    orphan->memory.rule = orphan->rule;
    orphan->memory.place = (struct engine_place){orphan->location, orphan->device};
    return 0;
}

void orphans_free(struct orphans *orphans)
{
    for (size_t i = 0; orphans->buckets && i < BUCKETS; i++)
        while (orphans->buckets[i])
            take_away(orphans, &orphans->buckets[i]);
    free(orphans->buckets);
    *orphans = (struct orphans){0};
}

/* Its alert, or the one about a failed command. */
static void resolve(struct engine *engine, const struct engine_memory *memory, bool failed,
                    const char *why)
{
    char name[TOPIC_NAME_SIZE + sizeof(SETTINGS_FAILED)], message[256];
    snprintf(name, sizeof(name), "%s%s", memory->rule, failed ? SETTINGS_FAILED : "");
    snprintf(message, sizeof(message), "%s: over, since the rule %s", memory->place.device, why);
    struct alert alert = {
        .state = ALERT_RESOLVED,
        .severity = memory->severity,
        .since_ms = engine->time_ms,
        .message = message,
        .rule = name,
        .episode = failed ? memory->failed_episode : memory->episode,
    };
    engine->stats.alerts++;
    engine->stats.ended++;
    engine->handlers->on_alert(engine->self, &memory->place, &alert);
}

void orphans_tell(struct engine *engine)
{
    for (size_t i = 0; engine->orphans.n > 0 && i < BUCKETS; i++) {
        const struct orphan *orphan = engine->orphans.buckets[i];
        for (; orphan; orphan = orphan->next) {
            if (orphan->memory.alerting)
                resolve(engine, &orphan->memory, false, orphan->why);
            if (orphan->memory.failed)
                resolve(engine, &orphan->memory, true, orphan->why);
        }
    }
}

static bool failed_for_nothing(const struct instance *instance)
{
    return instance->duty && instance->duty->failed &&
           !decide_commands(&instance->rule->on_active) &&
           !decide_commands(&instance->rule->on_inactive);
}

void orphans_tell_of(struct engine *engine, const struct instance *instance)
{
    struct engine_memory memory = decide_memory(instance);
    if (instance->ending)
        resolve(engine, &memory, false, "alerts no more");
    if (failed_for_nothing(instance))
        resolve(engine, &memory, true, "commands no more");
}

void orphans_remember(const struct orphans *orphans, engine_memory_fn *on_memory, void *self)
{
    for (size_t i = 0; orphans->n > 0 && i < BUCKETS; i++)
        for (const struct orphan *orphan = orphans->buckets[i]; orphan; orphan = orphan->next)
            on_memory(self, &orphan->memory);
}

static void came(struct engine *engine, const struct engine_place *place, const char *rule,
                 bool failed)
{
    struct orphan **at = engine->orphans.n ? find(&engine->orphans, place, rule) : NULL;
    struct instance *instance = at && *at ? NULL : engine_instance(engine, place, rule);
    if (at && *at) {
        struct engine_memory *memory = &(*at)->memory;
        *(failed ? &memory->failed : &memory->alerting) = false;
        engine->handlers->on_memory(engine->self, memory);
        if (!memory->failed && !memory->alerting)
            take_away(&engine->orphans, at);
    } else if (instance && failed && failed_for_nothing(instance)) {
        instance->duty->failed = false;
        decide_keep(engine, instance);
    } else if (instance && !failed && instance->ending) {
        instance->ending = false;
        decide_keep(engine, instance);
    }
}

void engine_alert_came(struct engine *engine, const struct engine_place *place, const char *name)
{
    char rule[TOPIC_NAME_SIZE];
    size_t length = strlen(name), behind = strlen(SETTINGS_FAILED);
    came(engine, place, name, false);
    if (length <= behind || strcmp(name + length - behind, SETTINGS_FAILED) != 0)
        return;
    snprintf(rule, sizeof(rule), "%.*s", (int)(length - behind), name);
    came(engine, place, rule, true);
}
