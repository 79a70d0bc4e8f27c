/* What came of each device and measurement, in a table of fixed size that may lie in a file: names,
 * totals, and the sequence of its readings. Pure.
 *
 * One thread takes readings; any may look at the totals. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "sequence.h"
#include "topic.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_SERIES_MAX 1024 /* devices × measurements; readings of others are only counted */

struct account_totals {
    uint64_t received; /* readings, duplicates among them */
    uint64_t duplicate;
    uint64_t missing; /* now: one that comes late is not missing any more */
    uint64_t late;    /* out of order */
    uint64_t restarts;
};

enum {
    ACCOUNT_RECEIVED,
    ACCOUNT_DUPLICATE,
    ACCOUNT_MISSING,
    ACCOUNT_LATE,
    ACCOUNT_RESTARTS,
    ACCOUNT_N
};

struct account_series {
    _Atomic uint32_t used; /* set last: names are read by others after it */
    char location[TOPIC_NAME_SIZE], device[TOPIC_NAME_SIZE], measurement[TOPIC_NAME_SIZE];
    _Atomic uint64_t totals[ACCOUNT_N];
    struct sequence sequence;
};

struct account { /* starts as zeroes */
    _Atomic uint64_t totals[ACCOUNT_N];
    _Atomic uint64_t untracked; /* readings beyond ACCOUNT_SERIES_MAX */
    struct account_series series[ACCOUNT_SERIES_MAX];
};

/* The series of a telemetry topic, found or made; NULL where there is no room. */
struct account_series *account_find(struct account *account, const struct topic *topic);

/* `retained`: the broker's copy of the last reading; it counts where it is new and not where it is
 * known. `series` may be NULL: the reading is untracked. */
void account_take(struct account *account, struct account_series *series, uint64_t seq,
                  int64_t ts_ms, bool retained);

struct account_totals account_totals(const struct account *account);
struct account_totals account_series_totals(const struct account_series *series);

#endif
