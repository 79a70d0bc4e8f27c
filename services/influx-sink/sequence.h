/* The numbers of one device's readings of one measurement: which came, which came twice, which are
 * missing. Pure; plain memory that may be copied and kept in a file.
 *
 * `seq` rises by one from 1 within a session of the agent (contract, section 2.1). Nothing in a
 * reading names the session, and `session` in _service/{agent}/status numbers connections, of which
 * one session of the agent has many; so a restart is told from the numbers and the times:
 *   - a number that falls while the time goes on is a new session;
 *   - number 1 with a time more than a minute before all that is known is one too: a clock that was
 * set back, or has no battery;
 *   - a number that falls with an earlier time is late or came twice.
 * What is earlier than the session's begin belongs to the one before, which is remembered as well.
 *
 * What cannot be told: the first reading ever seen begins the count, whatever came before it; the
 * last ones of a session that never arrived; a restart after which so many were lost that the
 * numbers rise all the same (counted as a gap). A number more than SEQUENCE_WINDOW behind the
 * highest counts as a duplicate. */
#ifndef SEQUENCE_H
#define SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCE_WINDOW 1024

struct sequence_run {
    uint64_t first;    /* lowest number seen */
    uint64_t next;     /* one more than the highest; 0: there is no run */
    int64_t begun_ms;  /* time of the earliest reading */
    int64_t newest_ms; /* time of the reading with the highest number */
    uint64_t
        seen[SEQUENCE_WINDOW / 64]; /* of the numbers before `next`, by number modulo the window */
};

struct sequence { /* starts as zeroes */
    struct sequence_run now, before;
};

enum sequence_verdict {
    SEQUENCE_NEXT,     /* new, and ahead of all others */
    SEQUENCE_LATE,     /* new, behind others */
    SEQUENCE_DUPLICATE /* it came before */
};

struct sequence_result {
    enum sequence_verdict verdict;
    bool restarted;  /* it begins a new session of the agent */
    int64_t missing; /* by how many more are missing now; -1 where a missing one has come */
};

struct sequence_result sequence_take(struct sequence *sequence, uint64_t seq, int64_t ts_ms);

#endif
