/* The section "query" of influx-sink's configuration: whether and where questions for statistics
 * are answered. */
#ifndef STATS_SETTINGS_H
#define STATS_SETTINGS_H

#include "config.h"
#include "stats_query.h"
#include "target.h"

struct stats_settings {
    bool serve;                   /* questions are taken: there is a store that can be asked */
    struct target_settings store; /* as the target, with credentials of its own where given */
    struct stats_limits limits;
    int64_t timeout_ms; /* from the question's arrival to its answer */
    int waiting_max;    /* questions that are being answered or wait for it */
};

/* `targets` are those that are written to; the first one that can be asked is. */
void stats_settings_read(struct stats_settings *out, struct config_node *node,
                         const struct target_settings *targets, size_t n_targets);

#endif
