/* Whether a thread that is woken for each of many small things should sleep a little, to find many
 * of them at once: to be woken costs more than most of them do, also whoever wakes. What comes
 * alone is not kept waiting, and a thread that is behind does not sleep. Pure. */
#ifndef NAP_H
#define NAP_H

#include <stdbool.h>
#include <stdint.h>

struct nap {           /* starts as zeroes, but for the length */
    int64_t length_us; /* set by the owner; 0: never */
    int64_t last_us;   /* when something came */
    int64_t awake_us;  /* since when it has been, and what it had worked by then */
    int64_t worked_us;
};

/* Something came, on the monotonic clock. True where a nap is due: less than its length after what
 * came before, by a thread that has been awake for as long. */
bool nap_is_due(struct nap *nap, int64_t now_us);

/* Once it is due: whether to take it. `worked_us` is the thread's CPU time: one that has worked for
 * nearly all the time that it was awake has not caught up yet. */
bool nap_is_affordable(struct nap *nap, int64_t worked_us);

#endif
