/* Waiting times between attempts: exponential with full jitter, a uniform draw between zero and a
 * bound that doubles (Brooker, "Exponential Backoff And Jitter", AWS, 2015). Pure. */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_ms; /* bound of the first wait */
    int64_t max_ms;   /* bound that is never passed */
    unsigned attempt; /* failures since the last success */
};

/* The wait before the next attempt. `random` is any uniform 64-bit number; `floor_ms` is the least
 * that the other side asked for (Retry-After), 0 if nothing. */
int64_t backoff_next(struct backoff *backoff, uint64_t random, int64_t floor_ms);
void backoff_reset(struct backoff *backoff); /* after a success */

#endif
