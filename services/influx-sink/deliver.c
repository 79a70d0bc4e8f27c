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

void delivery_begin(struct delivery *delivery, size_t n_lines)
{
    *delivery = (struct delivery){.n = n_lines};
}

/* A range that was refused holds a bad line for certain, so half of it is next. */
static size_t next_size(const struct deliver *deliver, const struct delivery *delivery)
{
    size_t size = delivery->n - delivery->from;

    if (delivery->from < delivery->suspect_to)
        size = (delivery->suspect_to - delivery->from + 1) / 2;
    return size < deliver->span ? size : deliver->span;
}

struct deliver_next deliver_next(struct deliver *deliver, struct delivery *delivery, int64_t now_ms)
{
    if (delivery->from == delivery->n)
        return (struct deliver_next){.step = DELIVER_DONE};
    if (deliver->in_flight > 0 && deliver->backoff.attempt > 0)
        return (struct deliver_next){.step = DELIVER_WAIT, .at_ms = INT64_MAX};
    if (now_ms < deliver->ready_ms)
        return (struct deliver_next){.step = DELIVER_WAIT, .at_ms = deliver->ready_ms};
    if (!breaker_allow(&deliver->breaker, now_ms))
        return (struct deliver_next){.step = DELIVER_WAIT,
                                     .at_ms = breaker_ready_ms(&deliver->breaker, now_ms)};
    if (deliver->breaker.state == BREAKER_HALF_OPEN)
        deliver->span = 1;
    delivery->to = delivery->from + next_size(deliver, delivery);
    deliver->in_flight++;
    return (struct deliver_next){.step = DELIVER_POST, .from = delivery->from, .to = delivery->to};
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

/* Posts grow back to their full size. */
static void heard(struct deliver *deliver)
{
    breaker_success(&deliver->breaker);
    backoff_reset(&deliver->backoff);
    deliver->ready_ms = 0;
    deliver->span = deliver->span < deliver->lines_max / 2 ? deliver->span * 2 : deliver->lines_max;
}

/* It says no to what we sent, not to us. */
static enum deliver_verdict refused(struct delivery *delivery)
{
    if (delivery->to - delivery->from > 1) {
        delivery->suspect_to = delivery->to;
        return DELIVER_SPLIT;
    }
    delivery->suspect_to = 0; /* the bad one is found; whether there are more is not known */
    delivery->from = delivery->to;
    return DELIVER_REFUSED;
}

/* What was on its way when the first such answer came says nothing new. */
static enum deliver_verdict too_large(struct deliver *deliver, struct delivery *delivery)
{
    size_t n = delivery->to - delivery->from;

    if (n == 1) {
        delivery->from = delivery->to;
        return DELIVER_TOO_LARGE;
    }
    if (n / 2 < deliver->lines_max) {
        deliver->lines_max = n / 2;
        deliver->streak = 0;
    }
    if (deliver->span > deliver->lines_max)
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

enum deliver_verdict deliver_take(struct deliver *deliver, struct delivery *delivery,
                                  const struct deliver_answer *answer, uint64_t random,
                                  int64_t now_ms)
{
    int status = answer->status;
    bool stored = status / 100 == 2 && !answer->says_error;

    deliver->in_flight--;
    if (stored || status == 400 || status == 413 || status == 422)
        heard(deliver);
    if (stored || status == 422)
        delivery->from = delivery->to;
    if (stored) {
        grow(deliver);
        return DELIVER_STORED;
    }
    switch (status) {
    case 400:
        return refused(delivery);
    case 413:
        return too_large(deliver, delivery);
    case 422:
        return DELIVER_REST_STORED;
    default:
        break;
    }
    if ((status / 100 == 4 && status != 408 && status != 429) || status / 100 == 3 ||
        status / 100 == 1)
        return wait(deliver, DELIVER_HELD, answer->retry_after_ms, random, now_ms);
    return wait(deliver, DELIVER_AWAY, answer->retry_after_ms, random, now_ms);
}
