#include "limit.h"

#include <errno.h>
#include <stdlib.h>

int limit_open(struct limit *limit, size_t max)
{
    *limit = (struct limit){.max = max};
    limit->sent_ms = max ? calloc(max, sizeof *limit->sent_ms) : NULL;
    return limit->sent_ms || !max ? 0 : -ENOMEM;
}

void limit_free(struct limit *limit)
{
    free(limit->sent_ms);
    notification_close(limit->held);
    *limit = (struct limit){0};
}

/* Past the oldest of a full ring another one may go. */
static int64_t free_ms(const struct limit *limit)
{
    if (!limit->max || limit->n < limit->max)
        return INT64_MIN;
    return limit->sent_ms[limit->first] + LIMIT_SPAN_MS;
}

bool limit_allows(const struct limit *limit, int64_t time_ms)
{
    return time_ms >= free_ms(limit);
}

void limit_sent(struct limit *limit, int64_t time_ms)
{
    if (!limit->max)
        return;
    if (limit->n == limit->max) {
        limit->first = (limit->first + 1) % limit->max;
        limit->n--;
    }
    limit->sent_ms[(limit->first + limit->n++) % limit->max] = time_ms;
}

void limit_shift(struct limit *limit, int64_t back_ms)
{
    for (size_t i = 0; i < limit->n; i++)
        limit->sent_ms[(limit->first + i) % limit->max] -= back_ms;
}

int limit_hold(struct limit *limit, const struct notification *notification)
{
    if (!limit->held) {
        if (notification_open(&limit->held, NOTIFICATION_SUMMARY, "", 0) < 0)
            return -ENOMEM;
        limit->held->held_since_ms = notification->created_ms;
    }
    notification_absorb(limit->held, notification);
    return 0;
}

void limit_supersede(struct limit *limit, const struct notification *notification)
{
    if (!limit->held)
        return;
    notification_supersede(limit->held, notification);
    if (notification_count(limit->held) > 0 || limit->held->forgotten > 0)
        return;
    notification_close(limit->held);
    limit->held = NULL;
}

int64_t limit_ready_ms(const struct limit *limit)
{
    return limit->held ? free_ms(limit) : INT64_MAX;
}

struct notification *limit_take(struct limit *limit, int64_t time_ms)
{
    struct notification *held = limit->held;

    limit->held = NULL;
    held->created_ms = time_ms;
    return held;
}
