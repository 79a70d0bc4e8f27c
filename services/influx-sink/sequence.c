#include "sequence.h"

#include <stdatomic.h>
#include <string.h>

#define CLOCK_SET_BACK_MS 60000

static bool seen(const struct sequence_run *run, uint64_t seq)
{
    uint64_t bit = seq % SEQUENCE_WINDOW;

    return run->seen[bit / 64] >> bit % 64 & 1;
}

static void mark(struct sequence_run *run, uint64_t seq, bool came)
{
    uint64_t bit = seq % SEQUENCE_WINDOW, mask = UINT64_C(1) << bit % 64;

    run->seen[bit / 64] = came ? run->seen[bit / 64] | mask : run->seen[bit / 64] & ~mask;
}

static void begin(struct sequence_run *run, uint64_t seq, int64_t ts_ms)
{
    *run =
        (struct sequence_run){.first = seq, .next = seq + 1, .begun_ms = ts_ms, .newest_ms = ts_ms};
    mark(run, seq, true);
}

static bool is_restart(const struct sequence *sequence, uint64_t seq, int64_t ts_ms)
{
    const struct sequence_run *now = &sequence->now, *before = &sequence->before;

    if (seq < now->next && ts_ms > now->newest_ms)
        return true;
    return seq == 1 && ts_ms < now->begun_ms - CLOCK_SET_BACK_MS &&
           (before->next == 0 || ts_ms < before->begun_ms - CLOCK_SET_BACK_MS);
}

/* `next` last, in what a process that is killed leaves: the reading, taken once more, then is no
 * restart. */
static struct sequence_result advance(struct sequence_run *run, uint64_t seq, int64_t ts_ms)
{
    uint64_t skipped = seq - run->next;

    if (skipped >= SEQUENCE_WINDOW)
        memset(run->seen, 0, sizeof(run->seen));
    else
        for (uint64_t i = run->next; i < seq; i++)
            mark(run, i, false);
    mark(run, seq, true);
    run->newest_ms = ts_ms;
    atomic_signal_fence(memory_order_seq_cst); /* for the compiler */
    run->next = seq + 1;
    return (struct sequence_result){.verdict = SEQUENCE_NEXT, .missing = (int64_t)skipped};
}

static struct sequence_result look_back(struct sequence_run *run, uint64_t seq, int64_t ts_ms)
{
    struct sequence_result late = {.verdict = SEQUENCE_LATE, .missing = -1};

    if (run->next - seq > SEQUENCE_WINDOW || seen(run, seq))
        return (struct sequence_result){.verdict = SEQUENCE_DUPLICATE};
    mark(run, seq, true);
    if (seq < run->first) { /* nobody knew of those before the first */
        late.missing = (int64_t)(run->first - seq - 1);
        run->first = seq;
    }
    if (ts_ms < run->begun_ms)
        run->begun_ms = ts_ms;
    return late;
}

struct sequence_result sequence_take(struct sequence *sequence, uint64_t seq, int64_t ts_ms)
{
    struct sequence_run *run = &sequence->now;

    if (run->next == 0) {
        begin(run, seq, ts_ms);
        return (struct sequence_result){.verdict = SEQUENCE_NEXT};
    }
    if (is_restart(sequence, seq, ts_ms)) {
        sequence->before = *run;
        begin(run, seq, ts_ms);
        return (struct sequence_result){.verdict = SEQUENCE_NEXT,
                                        .restarted = true,
                                        .missing = seq > 1 ? (int64_t)(seq - 1) : 0};
    }
    if (ts_ms < run->begun_ms && sequence->before.next > 0)
        run = &sequence->before;
    return seq >= run->next ? advance(run, seq, ts_ms) : look_back(run, seq, ts_ms);
}
