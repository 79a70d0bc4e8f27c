#include "backoff.h"

#include <limits.h>

static int64_t bound_ms(const struct backoff *backoff)
{
    int64_t bound = backoff->first_ms;
    for (unsigned i = 0; i < backoff->attempt && bound > 0 && bound < backoff->max_ms; i++)
        bound = bound > backoff->max_ms / 2 ? backoff->max_ms : bound * 2;
    if (bound > backoff->max_ms)
        bound = backoff->max_ms;
    return bound > 0 ? bound : 0;
}

int64_t backoff_next(struct backoff *backoff, uint64_t random, int64_t floor_ms)
{
    int64_t wait_ms = (int64_t)(random % ((uint64_t)bound_ms(backoff) + 1));
    if (backoff->attempt < UINT_MAX)
        backoff->attempt++;
    return wait_ms > floor_ms ? wait_ms : floor_ms;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->attempt = 0;
}
