/* A batch's way to the store: post after post until each line has an end. Several couriers share an
 * office, and one thread. */
#ifndef COURIER_H
#define COURIER_H

#include "feed.h"
#include "target.h"

#include <stdatomic.h>

struct office {
    const struct target_settings *settings; /* all borrowed */
    struct target *target;
    struct burial *burial;
    struct feed *feed;
    health_counter *posts, *stored;
    struct deliver deliver;
    unsigned lessons;    /* times that the store taught a field's type */
    _Atomic int breaker; /* these three: for any thread */
    atomic_bool away;    /* the last post found no store */
    atomic_bool held;    /* the store takes nothing from us */
};

enum courier_state {
    COURIER_FREE,    /* or with a batch that is still being filled */
    COURIER_HAS,     /* a batch with lines to post */
    COURIER_IS_AWAY, /* a post of its is under way */
};

struct courier {
    enum courier_state state;
    unsigned slot; /* of the target */
    struct batch batch;
    struct delivery delivery;
    unsigned lessons; /* that were known when its batch was begun */
};

void courier_begin(struct courier *courier); /* its batch is filled */

/* Does what can be done without waiting. True where something was. *at_ms becomes earlier where
 * there is something to do at that time. With its last line the courier is free again; the batch
 * is left. */
bool courier_work(struct courier *courier, struct office *office, int64_t now_ms, int64_t *at_ms);

#endif
