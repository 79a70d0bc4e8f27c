/* What a bus's thread tells the loop. */
#ifndef ANSWER_H
#define ANSWER_H

#include "breaker.h"
#include "holes.h"
#include "inbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_TEXT_SIZE 192

enum answer_kind {
    ANSWER_LINK,  /* the link came or went */
    ANSWER_ROUND, /* a round of a group has ended */
    ANSWER_HOLES, /* it was learnt what a unit refuses */
    ANSWER_WRITE, /* a write has ended */
    ANSWER_FEED   /* a write to the watchdog has ended */
};

/* Results of a write, besides those that bus.h lists. */
enum {
    WRITE_REFUSED = 1000,   /* not sent: no link, or the unit's breaker is open */
    WRITE_DIFFERENT = 1001, /* sent, but something else was read back */
    WRITE_EXPIRED = 1002    /* not sent: its turn came too late */
};

struct answer {
    struct inbox_item item;
    void *owner; /* of the bus, as worker_open() was told */
    enum answer_kind kind;
    size_t unit;                /* index in the bus's settings; not for a link */
    size_t index;               /* group or actuator of that unit */
    enum breaker_state breaker; /* of the unit, after this */
    int64_t time_ms;            /* wall clock when the last answer came */
    bool publish;               /* a round: it says something new */
    uint64_t writes; /* sent on the bus before the round began; with this one for a write */
    int result;      /* link: 0 is up; write, feed: as bus.h, or one of the above */
    char text[ANSWER_TEXT_SIZE]; /* link: the sentence why it is down, or what there is to say of it
                                  */
    bool has_cells;              /* write: `cells` were read back */
    bool unanswered;             /* write: no answer came to it, though it may have been done */
    /* All are part of the answer's own memory. A round: the result for each of the group's points,
     * and their cells. A write: no results, the actuator's cells. Holes: all that are known. */
    int *results;
    uint16_t *cells;
    struct holes holes;
};

/* Everything zero. One free() ends it. NULL where there is no memory. */
struct answer *answer_new(enum answer_kind kind, size_t n_results, size_t n_cells);

/* The same for ANSWER_WRITE (`index` is the actuator) and ANSWER_FEED: refused, so far. Made before
 * the write is begun, so that its end needs no memory. */
struct answer *answer_new_write(enum answer_kind kind, size_t unit, size_t index);

/* The same for ANSWER_HOLES, with a copy of them. */
struct answer *answer_new_holes(const struct holes *holes);

/* A sentence for people on how a write ended; NULL where there is nothing to say. */
const char *write_explanation(const struct answer *answer);

#endif
