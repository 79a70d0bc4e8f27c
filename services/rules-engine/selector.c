#include "selector.h"
#include "wildcard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* Chained by a hash of the measurement and of what stands in the two patterns before their first
 * star. A name that a pattern takes begins so: the series is looked for under all beginnings of its
 * location and device. */
struct entry {
    struct selected selected;
    uint32_t next; /* of the same bucket */
};

struct selector {
    struct entry *entries; /* derived values, then rules */
    size_t n;
    uint32_t *buckets;
    size_t n_buckets; /* a power of two */
    uint32_t *found;
    struct selected *answer;
};

/* FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv). */
#define HASH_START UINT64_C(0xcbf29ce484222325)

static uint64_t hash_byte(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * UINT64_C(0x100000001b3);
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = hash_byte(hash, bytes[i]);
    return hash_byte(hash, '/');
}

static const struct scope *scope_of(const struct selected *selected)
{
    return selected->rule ? &selected->rule->scope : &selected->derived->scope;
}

static uint32_t *bucket(const struct selector *selector, uint64_t hash)
{
    return &selector->buckets[(hash ^ hash >> 32) & (selector->n_buckets - 1)];
}

static void add(struct selector *selector, struct selected selected)
{
    const struct scope *scope = scope_of(&selected);
    uint64_t hash = hash_bytes(HASH_START, scope->measurement, strlen(scope->measurement));
    hash = hash_bytes(hash, scope->location, strcspn(scope->location, "*"));
    hash = hash_bytes(hash, scope->device, strcspn(scope->device, "*"));
    uint32_t *head = bucket(selector, hash);
    selector->entries[selector->n] = (struct entry){.selected = selected, .next = *head};
    *head = (uint32_t)selector->n++;
}

static int allocate(struct selector *selector, size_t n)
{
    selector->n_buckets = 16;
    while (selector->n_buckets < n)
        selector->n_buckets *= 2;
    selector->entries = calloc(n + 1, sizeof(*selector->entries));
    selector->buckets = malloc(selector->n_buckets * sizeof(*selector->buckets));
    selector->found = calloc(n + 1, sizeof(*selector->found));
    selector->answer = calloc(n + 1, sizeof(*selector->answer));
    if (!selector->entries || !selector->buckets || !selector->found || !selector->answer)
        return -ENOMEM;
    memset(selector->buckets, 0xff, selector->n_buckets * sizeof(*selector->buckets)); /* NONE */
    return 0;
}

int selector_open(struct selector **out, const struct settings *settings)
{
    struct selector *selector = calloc(1, sizeof(*selector));
    if (!selector || allocate(selector, settings->n_derived + settings->n_rules) < 0) {
        selector_close(selector);
        return -ENOMEM;
    }
    for (size_t i = 0; i < settings->n_derived; i++)
        add(selector, (struct selected){.derived = &settings->derived[i]});
    for (size_t i = 0; i < settings->n_rules; i++)
        add(selector, (struct selected){.rule = &settings->rules[i]});
    *out = selector;
    return 0;
}

void selector_close(struct selector *selector)
{
    if (!selector)
        return;
    free(selector->entries);
    free(selector->buckets);
    free(selector->found);
    free(selector->answer);
    free(selector);
}

/* Whether its first star, or its end, comes after n bytes. */
static bool is_literal_for(const char *pattern, size_t n)
{
    return strcspn(pattern, "*") == n;
}

/* Whether it selects the series, and is to be found under these beginnings of its names. */
static bool selects(const struct scope *scope, const struct series *series, size_t n_location,
                    size_t n_device)
{
    return is_literal_for(scope->location, n_location) && is_literal_for(scope->device, n_device) &&
           strcmp(scope->measurement, series->measurement) == 0 &&
           wildcard_matches(scope->location, series->device->location) &&
           wildcard_matches(scope->device, series->device->name);
}

static int by_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

size_t selector_find(struct selector *selector, const struct series *series,
                     const struct selected **found)
{
    const char *location = series->device->location, *device = series->device->name;
    uint64_t whole = hash_bytes(HASH_START, series->measurement, strlen(series->measurement));
    size_t n = 0;
    for (size_t i = 0; i <= strlen(location); i++) {
        uint64_t hash = hash_bytes(whole, location, i);
        for (size_t j = 0; j <= strlen(device); j++) {
            uint32_t at = *bucket(selector, hash_bytes(hash, device, j));
            for (; at != NONE; at = selector->entries[at].next)
                if (selects(scope_of(&selector->entries[at].selected), series, i, j))
                    selector->found[n++] = at;
        }
    }
    qsort(selector->found, n, sizeof(*selector->found), by_order);
    for (size_t i = 0; i < n; i++)
        selector->answer[i] = selector->entries[selector->found[i]].selected;
    *found = selector->answer;
    return n;
}
