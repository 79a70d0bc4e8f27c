/* Inside the engine: what engine.c, which keeps the picture, and decide.c, which asks the rules,
 * share. */
#ifndef DECIDE_H
#define DECIDE_H

#include "engine.h"
#include "hearing.h"
#include "instance.h"
#include "order.h"
#include "orphans.h"
#include "selector.h"

struct engine {
    const struct settings *settings;
    const struct engine_handlers *handlers;
    void *self;
    struct picture *picture;
    struct selector *selector;
    struct agenda agenda;
    struct orders orders;
    struct instance *first, **last; /* all instances, in the order they came up */
    struct reading *computed;       /* one for each derived value, which never meets itself */
    struct buffer message;
    struct engine_stats stats;
    struct hearing hearing;
    int64_t time_ms;
    int64_t confirm_ms;   /* when to tell what the broker has not shown; RULE_NEVER */
    int64_t listening_ms; /* since when messages can come; 0 while they cannot */
    int64_t deaf_ms;      /* since when they could not, last; 0: not known, or never */
    struct orphans orphans;
    struct instance **queue; /* owned; for engine_keep() */
    size_t n_queue, queue_capacity;
};

/* What led to a decision; no reading where it was time. */
struct cause {
    const struct series *series;
    const struct reading *reading;
    bool retained;
};

/* Whether the device is one of this shard's. */
bool decide_is_ours(const struct engine *engine, const char *location, const char *device);

/* All rules and derived values that select a series meet it, once. 0, -ENOMEM or -E2BIG. */
int decide_match(struct engine *engine, struct series *series);

struct engine_memory decide_memory(const struct instance *instance);

/* Of a rule of this name for this device, where there is one already; NULL. */
struct instance *engine_instance(struct engine *engine, const struct engine_place *place,
                                 const char *rule);

/* A wait of it does; the memory knows. */
void decide_begin_anew(struct engine *engine, struct instance *instance);

/* Tells the memory how it stands. */
void decide_keep(struct engine *engine, struct instance *instance);

/* The same, saying whether commands are owed: before they are given. */
void decide_tell_memory(struct engine *engine, struct instance *instance, bool owing);

/* Puts it off to engine_keep(), which comes soon. */
void decide_queue(struct engine *engine, struct instance *instance);

/* That a wait began may be told later: if that is lost it begins anew, which is safe. That one
 * ended is told at once, or a crash would bring it back, and what was true in two parts would count
 * as if it had been true throughout. */
void decide_keep_wait(struct engine *engine, struct instance *instance);

/* The steps of a pid, now and then. */
void decide_keep_pid(struct engine *engine, struct instance *instance);

bool decide_commands(const struct actions *actions); /* any at all */

/* Evaluates a rule and tells what follows. */
void decide_rule(struct engine *engine, struct instance *instance, const struct cause *cause);

/* Tells the alert of an active rule once more, as it is. */
void decide_tell_again(struct engine *engine, struct instance *instance);

/* Puts a rule's next moment on the agenda. */
void decide_schedule(struct engine *engine, struct instance *instance);

/* Computes a derived value and, unless a retained reading is the cause, tells it. Gives the
 * reading, to be taken as input in its turn, borrowed until the same is computed anew; NULL without
 * memory. */
const struct reading *decide_derived(struct engine *engine, struct instance *instance,
                                     const struct cause *cause);

#endif
