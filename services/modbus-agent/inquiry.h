/* A group's rounds: its requests, and what is learnt of the device when it refuses some.
 *
 * A request that is answered by exception 2 or 3 is cut in two within the same round, and the parts
 * again, until what is refused is a point by itself. Then, where two parts are good that were
 * refused as one, what lies between them is a hole: kept, and not reached over any more. Requests
 * that were cut for another's sake are whole again in the next round. A request of which no part is
 * good teaches nothing: it stays whole, and is cut again after 2, 4… rounds only. Pure. */
#ifndef INQUIRY_H
#define INQUIRY_H

#include "plan.h"
#include "settings.h"

#include <stdint.h>

struct inquiry_refusal {
    struct span whole; /* what was refused */
    struct span hole;  /* what its parts have between them; of a single piece, itself */
    bool single;
};

struct inquiry {
    const struct group_settings *group; /* borrowed */
    struct plan_limits limits;          /* with the unit's holes: borrowed, shared by its groups */
    struct holes *holes;                /* the same, to be added to */
    struct plan plan;
    struct span *spans;               /* owned; of the group's points */
    int *results;                     /* owned; of the plan's requests in this round */
    struct inquiry_refusal *refusals; /* owned; of this round; NULL before the first */
    size_t n_refusals;
    unsigned fruitless; /* rounds in a row that cut in vain */
    unsigned patience;  /* rounds to come in which nothing is cut */
};

/* Returns 0 or -ENOMEM. */
int inquiry_open(struct inquiry *out, const struct group_settings *group, struct holes *holes);
void inquiry_close(struct inquiry *inquiry);

/* The answer to one of the plan's requests: what it is for each of its points goes to the group's
 * `results` and `cells` (see struct group_point). Returns true where the request was cut: then the
 * one of the same index is to be asked next, and there is one more of them. */
bool inquiry_take(struct inquiry *inquiry, size_t request, int result, const uint16_t *answer,
                  int *results, uint16_t *cells);

/* The round is over, or cut short. Returns true where a hole was learnt. The plan may be another
 * one now. */
bool inquiry_end(struct inquiry *inquiry);

#endif
