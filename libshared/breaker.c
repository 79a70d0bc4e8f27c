#include "breaker.h"

void breaker_init(struct breaker *breaker, unsigned threshold, int64_t open_ms)
{
    *breaker = (struct breaker){.threshold = threshold > 0 ? threshold : 1, .open_ms = open_ms};
}

bool breaker_allow(struct breaker *breaker, int64_t now_ms)
{
    switch (breaker->state) {
    case BREAKER_CLOSED:
        return true;
    case BREAKER_OPEN:
        if (now_ms - breaker->opened_ms < breaker->open_ms)
            return false;
        breaker->state = BREAKER_HALF_OPEN;
        return true;
    case BREAKER_HALF_OPEN:
        return false; /* the probe is still out */
    }
    return false;
}

/* While open, answers to what was sent before it opened may still come: only the probe decides. */
void breaker_success(struct breaker *breaker)
{
    if (breaker->state == BREAKER_OPEN)
        return;
    breaker->state = BREAKER_CLOSED;
    breaker->failures = 0;
}

void breaker_failure(struct breaker *breaker, int64_t now_ms)
{
    if (breaker->state == BREAKER_OPEN)
        return;
    if (breaker->failures < breaker->threshold)
        breaker->failures++;
    if (breaker->state == BREAKER_HALF_OPEN || breaker->failures >= breaker->threshold) {
        breaker->state = BREAKER_OPEN;
        breaker->opened_ms = now_ms;
    }
}

int64_t breaker_ready_ms(const struct breaker *breaker, int64_t now_ms)
{
    if (breaker->state == BREAKER_CLOSED)
        return now_ms;
    if (breaker->state == BREAKER_HALF_OPEN)
        return now_ms + breaker->open_ms;
    int64_t ready_ms = breaker->opened_ms + breaker->open_ms;
    return ready_ms > now_ms ? ready_ms : now_ms;
}

const char *breaker_state_name(enum breaker_state state)
{
    switch (state) {
    case BREAKER_CLOSED:
        return "closed";
    case BREAKER_OPEN:
        return "open";
    case BREAKER_HALF_OPEN:
        return "half_open";
    }
    return "unknown";
}
