#include "deliver.h"

#define STREAK_TO_GROW 64 /* stored posts after which a size that was too large is tried again */

void deliver_init(struct deliver *deliver, const struct deliver_options *options)
{
    *deliver = (struct deliver){
        .backoff = {.first_ms = options->backoff_first_ms, .max_ms = options->backoff_max_ms},
        .lines_limit = options->lines_max,
        .lines_max = options->lines_max,
        .span = options->lines_max};
    breaker_init(&deliver->breaker, options->breaker_threshold, options->breaker_open_ms);
}

void deliver_begin(struct deliver *deliver, size_t n_lines)
{
    deliver->n = n_lines;
    deliver->from = 0;
    deliver->suspect_to = 0;
}

struct deliver_next deliver_next(struct deliver *deliver, int64_t now_ms)
{
    struct deliver_next next = {.step = DELIVER_POST, .from = deliver->from};
    size_t span = deliver->span;

    if (deliver->from == deliver->n)
        return (struct deliver_next){.step = DELIVER_DONE};
    if (now_ms < deliver->ready_ms)
        return (struct deliver_next){.step = DELIVER_WAIT, .at_ms = deliver->ready_ms};
    if (!breaker_allow(&deliver->breaker, now_ms))
        return (struct deliver_next){.step = DELIVER_WAIT,
                                     .at_ms = breaker_ready_ms(&deliver->breaker, now_ms)};
    if (deliver->breaker.state == BREAKER_HALF_OPEN)
        span = deliver->span = 1;
    next.to = deliver->n - deliver->from > span ? deliver->from + span : deliver->n;
    return next;
}

/* Past a line that is done with. The rest of a range that was refused holds the bad line for
 * certain, so half of it is next; elsewhere posts grow back to their full size. */
static void advance(struct deliver *deliver, size_t n)
{
    deliver->from += n;
    deliver->span *= 2;
    if (deliver->from < deliver->suspect_to)
        deliver->span = (deliver->suspect_to - deliver->from + 1) / 2;
    if (deliver->span > deliver->lines_max)
        deliver->span = deliver->lines_max;
}

static void grow(struct deliver *deliver)
{
    if (deliver->lines_max == deliver->lines_limit || ++deliver->streak < STREAK_TO_GROW)
        return;
    deliver->streak = 0;
    deliver->lines_max *= 2;
    if (deliver->lines_max > deliver->lines_limit)
        deliver->lines_max = deliver->lines_limit;
}

static void heard(struct deliver *deliver)
{
    breaker_success(&deliver->breaker);
    backoff_reset(&deliver->backoff);
    deliver->ready_ms = 0;
}

/* It says no to what we sent, not to us. */
static enum deliver_verdict refused(struct deliver *deliver, size_t n_posted)
{
    heard(deliver);
    if (n_posted == 1) {
        deliver->suspect_to = 0; /* the bad one is found; whether there are more is not known */
        advance(deliver, 1);
        deliver->span = deliver->lines_max;
        return DELIVER_REFUSED;
    }
    deliver->suspect_to = deliver->from + n_posted;
    deliver->span = n_posted / 2;
    return DELIVER_SPLIT;
}

static enum deliver_verdict too_large(struct deliver *deliver, size_t n_posted)
{
    heard(deliver);
    if (n_posted == 1) {
        advance(deliver, 1);
        return DELIVER_TOO_LARGE;
    }
    deliver->lines_max = n_posted / 2;
    deliver->streak = 0;
    deliver->span = deliver->lines_max;
    return DELIVER_SPLIT;
}

static enum deliver_verdict wait(struct deliver *deliver, enum deliver_verdict verdict,
                                 int64_t retry_after_ms, uint64_t random, int64_t now_ms)
{
    breaker_failure(&deliver->breaker, now_ms);
    deliver->ready_ms = now_ms + backoff_next(&deliver->backoff, random, retry_after_ms);
    return verdict;
}

enum deliver_verdict deliver_take(struct deliver *deliver, size_t n_posted,
                                  const struct deliver_answer *answer, uint64_t random,
                                  int64_t now_ms)
{
    int status = answer->status;

    if (status / 100 == 2 && !answer->says_error) {
        heard(deliver);
        advance(deliver, n_posted);
        grow(deliver);
        return DELIVER_STORED;
    }
    switch (status) {
    case 400:
        return refused(deliver, n_posted);
    case 413:
        return too_large(deliver, n_posted);
    case 422:
        heard(deliver);
        advance(deliver, n_posted);
        return DELIVER_REST_STORED;
    default:
        break;
    }
    if ((status / 100 == 4 && status != 408 && status != 429) || status / 100 == 3 ||
        status / 100 == 1)
        return wait(deliver, DELIVER_HELD, answer->retry_after_ms, random, now_ms);
    return wait(deliver, DELIVER_AWAY, answer->retry_after_ms, random, now_ms);
}
