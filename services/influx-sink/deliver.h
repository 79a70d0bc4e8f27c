/* What to post next, and what an answer means: a store that is away is waited for, a bad line is
 * found by halving, nothing else is held up by it. Several batches may be on their way to the same
 * store, each with one post at a time; while the store is in trouble there is only one post at all.
 * Pure: time and random numbers are passed in. */
#ifndef DELIVER_H
#define DELIVER_H

#include "backoff.h"
#include "breaker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What came back for a post. */
struct deliver_answer {
    int status;             /* HTTP status; 0 where no whole answer came */
    int64_t retry_after_ms; /* 0 where the server did not say */
    bool says_error;        /* an answer with 2xx has words where a store has none: it lies */
};

enum deliver_verdict {
    DELIVER_STORED,
    DELIVER_REST_STORED, /* 422: the store kept what it can and will never keep the others */
    DELIVER_REFUSED,     /* one line, refused: a dead letter */
    DELIVER_TOO_LARGE,   /* one line, too large even alone: a dead letter */
    DELIVER_SPLIT,       /* the same lines again, fewer at once */
    DELIVER_HELD,        /* the store answers, but takes nothing from us: credentials, bucket… */
    DELIVER_AWAY         /* away or busy */
};

struct deliver { /* one store */
    struct backoff backoff;
    struct breaker breaker;
    size_t lines_limit; /* in a post, as configured */
    size_t lines_max;   /* in a post; lowered by 413, and slowly raised again */
    unsigned streak;    /* posts stored since lines_max last changed */
    size_t span;        /* lines of the next post at most; grows back after a probe */
    unsigned in_flight; /* posts */
    int64_t ready_ms;   /* nothing is posted before */
};

struct delivery {      /* one batch */
    size_t n;          /* lines */
    size_t from;       /* first line not yet dealt with */
    size_t to;         /* the line after the post in flight */
    size_t suspect_to; /* before this line there is a bad one */
};

struct deliver_options {
    size_t lines_max;
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
    unsigned breaker_threshold;
    int64_t breaker_open_ms;
};
void deliver_init(struct deliver *deliver, const struct deliver_options *options);

void delivery_begin(struct delivery *delivery, size_t n_lines);

enum deliver_step { DELIVER_DONE, DELIVER_POST, DELIVER_WAIT };
struct deliver_next {
    enum deliver_step step;
    size_t from, to; /* DELIVER_POST: the lines */
    int64_t at_ms;   /* DELIVER_WAIT: monotonic; INT64_MAX: until another post is answered */
};
/* After DELIVER_POST deliver_take() must follow. */
struct deliver_next deliver_next(struct deliver *deliver, struct delivery *delivery,
                                 int64_t now_ms);

/* The answer to the batch's post, of the lines [from, to). */
enum deliver_verdict deliver_take(struct deliver *deliver, struct delivery *delivery,
                                  const struct deliver_answer *answer, uint64_t random,
                                  int64_t now_ms);

#endif
