/* One question to the store and its answer, blocking: for the worker of stats.c. */
#ifndef STATS_ASK_H
#define STATS_ASK_H

#include "buffer.h"
#include "stats_settings.h"

#include <stddef.h>
#include <stdint.h>

enum stats_outcome {
    STATS_OK,
    STATS_BAD_REQUEST,
    STATS_TOO_MUCH,
    STATS_BUSY,
    STATS_TIMEOUT,
    STATS_STORE_AWAY,
    STATS_STORE_REFUSED, /* credentials */
    STATS_STORE_FAILED,
    STATS_N_OUTCOMES
};
const char *stats_outcome_name(enum stats_outcome outcome); /* the contract's `reason` */

struct stats_ask;

int stats_ask_open(struct stats_ask **out, const struct stats_settings *settings); /* 0 or -errno */
void stats_ask_close(struct stats_ask *ask);

/* Appends the answer to `out`, also where it is a failure. `time_ms` is the wall clock. */
enum stats_outcome stats_ask(struct stats_ask *ask, const void *payload, size_t size,
                             int64_t time_ms, struct buffer *out);

void stats_ask_abort(struct stats_ask *ask); /* any thread: the question in flight ends soon */

#endif
