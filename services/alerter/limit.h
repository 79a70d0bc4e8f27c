/* The largest number of notifications that a channel gets within an hour, and the summary of what
 * was held back. Pure. */
#ifndef LIMIT_H
#define LIMIT_H

#include "notification.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMIT_MAX 1000
#define LIMIT_SPAN_MS (INT64_C(60) * 60 * 1000)

struct limit {
    size_t max;                /* 0: no limit */
    int64_t *sent_ms;          /* owned ring of `max` */
    size_t first, n;           /* the oldest, and how many */
    struct notification *held; /* owned summary; NULL where nothing is held */
};

int limit_open(struct limit *limit, size_t max); /* 0 or -ENOMEM */
void limit_free(struct limit *limit);

bool limit_allows(const struct limit *limit, int64_t time_ms);
void limit_sent(struct limit *limit, int64_t time_ms); /* one went out */

void limit_shift(struct limit *limit, int64_t back_ms); /* the clock went back */

/* Adds it to the summary; it stays the caller's. Returns 0 or -ENOMEM: it is lost. */
int limit_hold(struct limit *limit, const struct notification *notification);

/* It went out all the same: what is held is not to say older things of its alerts. */
void limit_supersede(struct limit *limit, const struct notification *notification);

/* When the summary may go; INT64_MAX where there is none. */
int64_t limit_ready_ms(const struct limit *limit);

/* Gives the summary away, made at this time. */
struct notification *limit_take(struct limit *limit, int64_t time_ms);

#endif
