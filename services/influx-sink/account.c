#include "account.h"

#include "hash.h"

#include <string.h>

static bool is_of(const struct account_series *series, const struct topic *topic)
{
    return strcmp(series->device, topic->device) == 0 &&
           strcmp(series->measurement, topic->name) == 0 &&
           strcmp(series->location, topic->location) == 0;
}

static void name(struct account_series *series, const struct topic *topic)
{
    memcpy(series->location, topic->location, TOPIC_NAME_SIZE);
    memcpy(series->device, topic->device, TOPIC_NAME_SIZE);
    memcpy(series->measurement, topic->name, TOPIC_NAME_SIZE);
}

/* Waits out another thread that writes the names. True where the series is the caller's to name. */
static bool claim(_Atomic uint32_t *slot)
{
    uint32_t state;

    do {
        state = ACCOUNT_FREE;
        if (atomic_compare_exchange_strong(slot, &state, ACCOUNT_CLAIMED))
            return true;
    } while (state == ACCOUNT_CLAIMED);
    return false;
}

static bool is_full(const struct account *account)
{
    return atomic_load_explicit(&account->n_series, memory_order_relaxed) >= ACCOUNT_SERIES_MAX;
}

struct account_series *account_find(struct account *account, const struct topic *topic)
{
    uint64_t at = hash_text(HASH_START, topic->location);
    at = hash_text(hash_text(at, topic->device), topic->name);

    for (size_t i = 0; i < ACCOUNT_SLOTS; i++, at++) {
        struct account_series *series = &account->series[at % ACCOUNT_SLOTS];
        _Atomic uint32_t *slot = &account->states[at % ACCOUNT_SLOTS];
        uint32_t state = atomic_load_explicit(slot, memory_order_acquire);

        if (state == ACCOUNT_FREE && is_full(account))
            return NULL;
        if (state != ACCOUNT_USED && claim(slot)) {
            name(series, topic);
            atomic_store_explicit(slot, ACCOUNT_USED, memory_order_release);
            atomic_fetch_add(&account->n_series, 1);
            return series;
        }
        if (is_of(series, topic))
            return series;
    }
    return NULL;
}

static uint64_t n_taken(const struct account *account)
{
    return atomic_load(&account->totals[ACCOUNT_RECEIVED]) + atomic_load(&account->untracked);
}

static void set_mark(struct account *account, uint64_t next)
{
    uint32_t other = 1 - atomic_load_explicit(&account->mark_now, memory_order_relaxed);
    struct account_mark *mark = &account->marks[other];

    atomic_store_explicit(&mark->next, next, memory_order_relaxed);
    atomic_store_explicit(&mark->n, n_taken(account), memory_order_relaxed);
    atomic_store_explicit(&account->mark_now, other, memory_order_release);
}

/* A spool that was taken away numbers its records anew. */
static void resume_ends(struct account_ends *ends, uint64_t known, uint64_t cursor,
                        uint64_t spool_next)
{
    if (known > spool_next)
        ends->spans = (struct spans){0};
    if (known > spool_next || known + 1 < spool_next)
        spans_add(&ends->spans, known > spool_next ? 0 : known, spool_next);
    spans_add(&ends->spans, 0, cursor);
    ends->done = ends->spans.done;
}

static void resume_series(struct account *account)
{
    account->n_series = 0;
    for (size_t i = 0; i < ACCOUNT_SLOTS; i++) {
        if (account->states[i] == ACCOUNT_CLAIMED)
            account->states[i] = ACCOUNT_FREE;
        account->n_series += account->states[i] == ACCOUNT_USED;
    }
}

bool account_resume(struct account *account, uint64_t cursor, uint64_t spool_next, uint64_t *n)
{
    const struct account_mark *mark = &account->marks[account->mark_now];
    bool is_one_left = mark->next + 1 == spool_next;

    resume_series(account);
    resume_ends(&account->ends[account->ends_now], mark->next, cursor, spool_next);
    *n = n_taken(account) - mark->n;
    if (!is_one_left)
        set_mark(account, spool_next);
    return is_one_left;
}

/* Only the thread that takes readings writes these, which therefore need no locked instruction. */
static void increase(_Atomic uint64_t *total, int64_t by)
{
    uint64_t now = atomic_load_explicit(total, memory_order_relaxed);

    atomic_store_explicit(total, now + (uint64_t)by, memory_order_relaxed);
}

static void add(struct account *account, struct account_series *series, int which, int64_t by)
{
    if (by == 0)
        return;
    increase(&series->totals[which], by);
    increase(&account->totals[which], by);
}

/* Last the one that account_resume() goes by. */
void account_take(struct account *account, struct account_series *series, uint64_t seq,
                  int64_t ts_ms)
{
    struct sequence_result result;

    if (!series) {
        increase(&account->untracked, 1);
        return;
    }
    result = sequence_take(&series->sequence, seq, ts_ms);
    add(account, series, ACCOUNT_DUPLICATE, result.verdict == SEQUENCE_DUPLICATE);
    add(account, series, ACCOUNT_LATE, result.verdict == SEQUENCE_LATE);
    add(account, series, ACCOUNT_RESTARTS, result.restarted);
    add(account, series, ACCOUNT_MISSING, result.missing);
    add(account, series, ACCOUNT_RECEIVED, 1);
}

void account_took_record(struct account *account)
{
    set_mark(account, account->marks[account->mark_now].next + 1);
}

static const struct account_ends *ends_now(const struct account *account)
{
    return &account->ends[atomic_load_explicit(&account->ends_now, memory_order_acquire)];
}

static uint64_t read_end(const struct account_ends *ends, size_t series, size_t end)
{
    return atomic_load_explicit(&ends->n[series][end], memory_order_relaxed);
}

bool account_has_settled(const struct account *account, uint64_t record)
{
    return spans_has(&ends_now(account)->spans, record);
}

void account_settle(struct account *account, const uint32_t n[ACCOUNT_SLOTS][ACCOUNT_ENDS],
                    uint64_t from, uint64_t to)
{
    const struct account_ends *now = ends_now(account);
    uint32_t other = 1 - atomic_load(&account->ends_now);
    struct account_ends *ends = &account->ends[other];

    for (size_t i = 0; i < ACCOUNT_SLOTS; i++)
        for (size_t end = 0; end < ACCOUNT_ENDS; end++)
            atomic_store_explicit(&ends->n[i][end], read_end(now, i, end) + n[i][end],
                                  memory_order_relaxed);
    spans_copy(&ends->spans, &now->spans);
    spans_add(&ends->spans, from, to);
    atomic_store_explicit(&ends->done, ends->spans.done, memory_order_relaxed);
    atomic_store_explicit(&account->ends_now, other, memory_order_release);
}

static struct account_totals read_totals(const _Atomic uint64_t *totals)
{
    uint64_t n[ACCOUNT_N];

    for (int i = 0; i < ACCOUNT_N; i++)
        n[i] = atomic_load_explicit(&totals[i], memory_order_relaxed);
    return (struct account_totals){.received = n[ACCOUNT_RECEIVED],
                                   .duplicate = n[ACCOUNT_DUPLICATE],
                                   .missing = n[ACCOUNT_MISSING],
                                   .late = n[ACCOUNT_LATE],
                                   .restarts = n[ACCOUNT_RESTARTS]};
}

/* What one moment's settling left, whichever slot has it. */
static void read_ends(const struct account *account, struct account_totals *totals)
{
    const struct account_ends *ends;

    do {
        ends = ends_now(account);
        totals->stored = totals->dead = 0;
        for (size_t i = 0; i < ACCOUNT_SLOTS; i++) {
            totals->stored += read_end(ends, i, ACCOUNT_STORED);
            totals->dead += read_end(ends, i, ACCOUNT_DEAD);
        }
        atomic_thread_fence(memory_order_acquire);
    } while (ends != ends_now(account));
}

/* 0 where more ended than was received: of a record that is being taken just now. */
static uint64_t rest(const struct account_totals *totals)
{
    uint64_t ended = totals->stored + totals->dead + totals->dropped;

    return totals->received > ended ? totals->received - ended : 0;
}

struct account_totals account_totals(const struct account *account)
{
    struct account_totals ends = {0}, totals;

    read_ends(account, &ends);
    totals = read_totals(account->totals); /* later: what ended was received before */
    totals.stored = ends.stored;
    totals.dead = ends.dead;
    totals.dropped = atomic_load(&account->dropped);
    totals.waiting = rest(&totals);
    return totals;
}

void account_square(struct account *account)
{
    uint64_t done = atomic_load(&ends_now(account)->done);
    uint32_t mark_now = atomic_load(&account->mark_now);
    const struct account_mark *mark = &account->marks[mark_now];
    uint64_t next = atomic_load(&mark->next), n = atomic_load(&mark->n);
    struct account_totals totals = account_totals(account);

    if (done != next || n != n_taken(account) || mark_now != atomic_load(&account->mark_now))
        return;
    totals.dropped = 0;
    atomic_store(&account->dropped, rest(&totals));
}

struct account_totals account_series_totals(const struct account *account,
                                            const struct account_series *series)
{
    struct account_totals totals = read_totals(series->totals);
    const struct account_ends *ends = ends_now(account);
    size_t i = (size_t)(series - account->series);

    totals.stored = read_end(ends, i, ACCOUNT_STORED);
    totals.dead = read_end(ends, i, ACCOUNT_DEAD);
    return totals;
}
