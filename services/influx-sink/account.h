/* What came of each device and measurement, in a table of fixed size that may lie in a file: names,
 * totals, the sequence of its readings, and what became of them. Pure.
 *
 * One thread takes readings and one settles them; any may look at the totals. A process that is
 * killed at any instruction leaves a table that the next one goes on with. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "sequence.h"
#include "spans.h"
#include "topic.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_SERIES_MAX 1024 /* devices × measurements; readings of others are only counted */
#define ACCOUNT_SLOTS (2 * ACCOUNT_SERIES_MAX) /* so that one is found quickly, or not */

struct account_totals {
    uint64_t received; /* readings, duplicates among them */
    uint64_t duplicate;
    uint64_t missing; /* now: one that comes late is not missing any more */
    uint64_t late;    /* out of order */
    uint64_t restarts;
    uint64_t stored; /* settled: as often as they were received */
    uint64_t dead;
    uint64_t dropped; /* of all series only, as is `waiting` */
    uint64_t waiting; /* received - stored - dead - dropped */
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
    char location[TOPIC_NAME_SIZE], device[TOPIC_NAME_SIZE], measurement[TOPIC_NAME_SIZE];
    _Atomic uint64_t totals[ACCOUNT_N];
    struct sequence sequence;
};

/* How readings ended: of the spool's records in `spans`. */
enum { ACCOUNT_STORED, ACCOUNT_DEAD, ACCOUNT_ENDS };

struct account_ends {
    struct spans spans;    /* the settling thread's */
    _Atomic uint64_t done; /* spans.done, for any thread */
    _Atomic uint64_t n[ACCOUNT_SLOTS][ACCOUNT_ENDS];
};

/* How far readings were taken: all of the spool's records before `next`, and those are so many. */
struct account_mark {
    _Atomic uint64_t next, n;
};

struct account { /* starts as zeroes */
    _Atomic uint64_t totals[ACCOUNT_N];
    _Atomic uint64_t untracked; /* readings beyond ACCOUNT_SERIES_MAX */
    _Atomic uint64_t dropped;   /* see account_square() */
    _Atomic uint32_t n_series;
    _Atomic uint32_t
        states[ACCOUNT_SLOTS]; /* of `series`, of which only those in use cost memory */
    struct account_series series[ACCOUNT_SLOTS];
    struct account_ends ends[2]; /* the new one is written beside the one that counts */
    _Atomic uint32_t ends_now;
    struct account_mark marks[2]; /* the same */
    _Atomic uint32_t mark_now;
};

/* For a table that is new or that another process left, before anything else: `spool_next` is the
 * number that the spool's next record gets, and all before `cursor` are done with. What lies in a
 * spool that the table knows nothing of is no concern of it. True where the last record was not, or
 * not wholly, taken when that process was killed: it is to be taken first, less the first *n_taken
 * of its readings. */
bool account_resume(struct account *account, uint64_t cursor, uint64_t spool_next,
                    uint64_t *n_taken);

/* Any thread: the series of a telemetry topic, found or made; NULL where there is no room. */
struct account_series *account_find(struct account *account, const struct topic *topic);

/* Takes a reading. `series` may be NULL: the reading is untracked. */
void account_take(struct account *account, struct account_series *series, uint64_t seq,
                  int64_t ts_ms);
void account_took_record(struct account *account); /* all of the next one of the spool */

/* Whether that record's readings are settled; for the thread that settles. */
bool account_has_settled(const struct account *account, uint64_t record);

/* Adds `n`, by the index of account.series, and the records [from, to): both or, where the process
 * is killed meanwhile, neither. In the 4096th hole that overtaking left, readings may count twice
 * after a kill. */
void account_settle(struct account *account, const uint32_t n[ACCOUNT_SLOTS][ACCOUNT_ENDS],
                    uint64_t from, uint64_t to);

/* Where all records are settled, nothing waits: a reading that is neither stored nor dead then was
 * in a record that cannot be read any more, or in a spool that was taken away. For one thread. */
void account_square(struct account *account);

struct account_totals account_totals(const struct account *account); /* any thread */
struct account_totals account_series_totals(const struct account *account,
                                            const struct account_series *series);

#endif
