#include "account.h"

#include <string.h>

/* FNV-1a, 32 bits: draft-eastlake-fnv. */
static uint32_t hash(uint32_t from, const char *text)
{
    for (; *text; text++)
        from = (from ^ (unsigned char)*text) * 16777619;
    return (from ^ '/') * 16777619;
}

static bool is_of(const struct account_series *series, const struct topic *topic)
{
    return strcmp(series->device, topic->device) == 0 &&
           strcmp(series->measurement, topic->name) == 0 &&
           strcmp(series->location, topic->location) == 0;
}

static void settle(struct account_series *series, const struct topic *topic)
{
    memcpy(series->location, topic->location, TOPIC_NAME_SIZE);
    memcpy(series->device, topic->device, TOPIC_NAME_SIZE);
    memcpy(series->measurement, topic->name, TOPIC_NAME_SIZE);
    atomic_store_explicit(&series->used, 1, memory_order_release);
}

struct account_series *account_find(struct account *account, const struct topic *topic)
{
    uint32_t at = hash(hash(hash(2166136261u, topic->location), topic->device), topic->name);

    for (size_t i = 0; i < ACCOUNT_SERIES_MAX; i++, at++) {
        struct account_series *series = &account->series[at % ACCOUNT_SERIES_MAX];

        if (!atomic_load_explicit(&series->used, memory_order_relaxed)) {
            settle(series, topic);
            return series;
        }
        if (is_of(series, topic))
            return series;
    }
    return NULL;
}

static void add(struct account *account, struct account_series *series, int which, int64_t by)
{
    if (by == 0)
        return;
    atomic_fetch_add_explicit(&account->totals[which], (uint64_t)by, memory_order_relaxed);
    atomic_fetch_add_explicit(&series->totals[which], (uint64_t)by, memory_order_relaxed);
}

void account_take(struct account *account, struct account_series *series, uint64_t seq,
                  int64_t ts_ms, bool retained)
{
    struct sequence_result result;

    if (!series) {
        atomic_fetch_add_explicit(&account->untracked, 1, memory_order_relaxed);
        return;
    }
    result = sequence_take(&series->sequence, seq, ts_ms);
    if (retained && result.verdict == SEQUENCE_DUPLICATE)
        return;
    add(account, series, ACCOUNT_RECEIVED, 1);
    add(account, series, ACCOUNT_DUPLICATE, result.verdict == SEQUENCE_DUPLICATE);
    add(account, series, ACCOUNT_LATE, result.verdict == SEQUENCE_LATE);
    add(account, series, ACCOUNT_RESTARTS, result.restarted);
    add(account, series, ACCOUNT_MISSING, result.missing);
}

static struct account_totals read_totals(const _Atomic uint64_t *totals)
{
    uint64_t n[ACCOUNT_N];

    for (int i = 0; i < ACCOUNT_N; i++)
        n[i] = atomic_load_explicit(&totals[i], memory_order_relaxed);
    return (struct account_totals){n[ACCOUNT_RECEIVED], n[ACCOUNT_DUPLICATE], n[ACCOUNT_MISSING],
                                   n[ACCOUNT_LATE], n[ACCOUNT_RESTARTS]};
}

struct account_totals account_totals(const struct account *account)
{
    return read_totals(account->totals);
}

struct account_totals account_series_totals(const struct account_series *series)
{
    return read_totals(series->totals);
}
