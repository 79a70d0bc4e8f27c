/* How one group keeps its period: written by its bus's thread, read by the loop for health. */
#ifndef PACE_H
#define PACE_H

#include "schedule.h"

#include <stdatomic.h>
#include <stdint.h>

struct jsonw;

struct pace {
    _Atomic uint64_t missed;  /* periods that passed because the bus was busy */
    _Atomic uint64_t skipped; /* because the unit or the link was away */
    _Atomic int64_t slack_ms; /* the least between a round's end and its deadline since it was
                               * read last; INT64_MAX: none has ended */
};

void pace_init(struct pace *pace);

/* What the schedule counted of the group. */
void pace_count(struct pace *pace, const struct schedule_group *group);

void pace_end_round(struct pace *pace, int64_t slack_ms);

/* Writes {"missed":…,"skipped":…,"slack_ms":…} under the key, and begins the slack anew. */
void pace_write(struct pace *pace, struct jsonw *w, const char *key);

#endif
