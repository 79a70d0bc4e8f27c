/* Which request goes on a bus next: the one whose group has the earliest deadline, across all
 * units. Pure.
 *
 * A group is due once a period and its deadline is the end of that period. The times are absolute:
 * a late round does not shift the next one, and a period in which no round began is counted and
 * left out, never caught up with. A unit whose breaker is open costs the bus nothing but one probe
 * each time it half-opens. Writes are none of the schedule's: they go before whatever it says. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "breaker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_unit {
    struct breaker breaker; /* set by the caller */
    int64_t held_ms;        /* nothing is asked of it before; 0 at first */
};

struct schedule_group {
    size_t unit;         /* these three are set by the caller */
    int64_t period_ms;   /* at least 1 */
    unsigned n_requests; /* of one round; at least 1 */
    int64_t release_ms;  /* when the current or next round was or is due */
    unsigned next;       /* request of the current round; 0: it has not begun */
    uint64_t missed;     /* periods that passed because the bus was busy… */
    uint64_t skipped;    /* …and because the unit or the link was away */
};

struct schedule {
    struct schedule_unit *units; /* both arrays borrowed */
    size_t n_units;
    struct schedule_group *groups;
    size_t n_groups;
    uint64_t missed; /* of all groups */
    uint64_t skipped;
};

/* Makes every group due within its first period or a second, whichever is less, spread evenly so
 * that they do not all come at once. */
void schedule_start(struct schedule *schedule, int64_t now_ms);

/* After the link was away: rounds that had begun are dropped, what is overdue is due now. */
void schedule_resume(struct schedule *schedule, int64_t now_ms);

struct schedule_pick {
    size_t group;
    unsigned request; /* of the group's round: 0 begins one */
};

/* Picks the request to send now; its outcome must be reported before anything else is asked.
 * False where nothing is due. */
bool schedule_next(struct schedule *schedule, int64_t now_ms, struct schedule_pick *out);

/* How a request to the unit ended, a write's too. A silent unit is not asked again for `hold_ms`.
 */
void schedule_report(struct schedule *schedule, size_t unit, bool alive, int64_t now_ms,
                     int64_t hold_ms);

/* The request of the group that was picked last has been cut: its first part is to be picked next,
 * in the same round, which now has so many. */
void schedule_again(struct schedule *schedule, size_t group, unsigned n_requests);

/* Ends the group's round early. */
void schedule_abandon(struct schedule *schedule, size_t group);

/* When schedule_next() can next say yes: now_ms or later; INT64_MAX where never. */
int64_t schedule_wake_ms(const struct schedule *schedule, int64_t now_ms);

#endif
