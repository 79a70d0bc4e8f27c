/* What came of each device and measurement, in a table of fixed size that may lie in a file: names,
 * totals, the sequence of its readings, and what became of them. Pure.
 *
 * One thread takes readings and one settles them; any may look at the totals. A process that is
 * killed at any instruction leaves a table that the next one goes on with. */
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
    uint64_t stored; /* settled: as often as they were received */
    uint64_t dead;
};

enum {
    ACCOUNT_RECEIVED,
    ACCOUNT_DUPLICATE,
    ACCOUNT_MISSING,
    ACCOUNT_LATE,
    ACCOUNT_RESTARTS,
    ACCOUNT_N
};

enum { ACCOUNT_FREE, ACCOUNT_USED, ACCOUNT_CLAIMED /* its names are being written */ };

struct account_series {
    _Atomic uint32_t state;
    char location[TOPIC_NAME_SIZE], device[TOPIC_NAME_SIZE], measurement[TOPIC_NAME_SIZE];
    _Atomic uint64_t totals[ACCOUNT_N];
    struct sequence sequence;
};

/* How readings ended: of the spool's records before `next`. */
enum { ACCOUNT_STORED, ACCOUNT_DEAD, ACCOUNT_ENDS };

struct account_ends {
    _Atomic uint64_t next;
    _Atomic uint64_t n[ACCOUNT_SERIES_MAX][ACCOUNT_ENDS];
};

struct account { /* starts as zeroes */
    _Atomic uint64_t totals[ACCOUNT_N];
    _Atomic uint64_t untracked; /* readings beyond ACCOUNT_SERIES_MAX */
    struct account_series series[ACCOUNT_SERIES_MAX];
    struct account_ends ends[2]; /* the new one is written beside the one that counts */
    _Atomic uint32_t ends_now;
};

/* For a table that another process left, before anything else: `spool_next` is the number that the
 * spool's next record gets. */
void account_resume(struct account *account, uint64_t spool_next);

/* Any thread: the series of a telemetry topic, found or made; NULL where there is no room. */
struct account_series *account_find(struct account *account, const struct topic *topic);

/* `retained`: the broker's copy of the last reading; it counts where it is new and not where it is
 * known. `series` may be NULL: the reading is untracked. */
void account_take(struct account *account, struct account_series *series, uint64_t seq,
                  int64_t ts_ms, bool retained);

/* Number of the first record of the spool whose readings are not settled. */
uint64_t account_settled(const struct account *account);

/* Adds `n`, by the index of account.series, and moves on to `next`: both or, where the process is
 * killed meanwhile, neither. */
void account_settle(struct account *account, const uint32_t n[ACCOUNT_SERIES_MAX][ACCOUNT_ENDS],
                    uint64_t next);

struct account_totals account_totals(const struct account *account);
struct account_totals account_series_totals(const struct account *account,
                                            const struct account_series *series);

#endif
