/* The rounds of one group, one after the other: what was asked, what came, and whether it is worth
 * telling. */
#ifndef ROUND_H
#define ROUND_H

#include "answer.h"
#include "inquiry.h"
#include "news.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct round {
    size_t unit; /* index in the bus's settings */
    size_t group;
    bool tells_all; /* the loop wants every round, not only what is to be published */
    struct inquiry inquiry;
    struct news news;
    struct answer *answer; /* owned; of the round that has begun, or kept for the next one */
    bool begun;
    enum breaker_state told; /* of the unit, in the last round that was told */
};

/* The group of that unit, whose holes are borrowed and added to. A unit that controls
 * something is told of all rounds, since interlocks go by the age of what was read. Returns 0 or
 * -ENOMEM. */
int round_open(struct round *out, const struct unit_settings *settings, size_t group,
               struct holes *holes);
void round_close(struct round *round);

/* Begins one, in which everything is a time-out until it has been read; `writes` as in answer.h.
 * Does nothing in the middle of one. Returns 0 or -ENOMEM. */
int round_begin(struct round *round, uint64_t writes);

/* What was answered to a request of the inquiry's plan. Returns true where the request was cut, see
 * inquiry_take(). */
bool round_take(struct round *round, size_t request, int result, const uint16_t *cells);

/* Ends the round. Gives the answer away where it is to be told, else NULL. `is_news`: whether it is
 * to be published. */
struct answer *round_end(struct round *round, enum breaker_state breaker, bool *is_news);

#endif
