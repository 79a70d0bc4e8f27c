#include "selector.h"
#include "topic.h"
#include "wildcard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* What a scope is looked for by, with the device. */
enum { BY_MEASUREMENT, BY_NAME, N_KEYS };

/* Chained by a hash of the measurement, or the name, and of what stands in the two patterns before
 * their first star. A name that a pattern takes begins so: what selects a device is looked for
 * under all beginnings of its location and name. */
struct entry {
    struct selected selected;
    uint32_t next[N_KEYS]; /* of the same bucket */
};

struct selector {
    struct entry *entries; /* derived values, then rules */
    size_t n;
    uint32_t *buckets[N_KEYS];
    /* How long the beginnings are that there are; mostly few. */
    bool lengths[TOPIC_NAME_SIZE][TOPIC_NAME_SIZE];
    size_t n_buckets; /* a power of two, of each */
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

static const char *key_of(const struct scope *scope, int key)
{
    return key == BY_NAME ? scope->name : scope->measurement;
}

static uint32_t *bucket(const struct selector *selector, int key, uint64_t hash)
{
    return &selector->buckets[key][(hash ^ hash >> 32) & (selector->n_buckets - 1)];
}

static void add(struct selector *selector, struct selected selected)
{
    const struct scope *scope = scope_of(&selected);
    struct entry *entry = &selector->entries[selector->n];
    size_t n_location = strcspn(scope->location, "*"), n_device = strcspn(scope->device, "*");
    entry->selected = selected;
    if (n_location < TOPIC_NAME_SIZE && n_device < TOPIC_NAME_SIZE) /* else it takes no name */
        selector->lengths[n_location][n_device] = true;
    for (int key = 0; key < N_KEYS; key++) {
        const char *text = key_of(scope, key);
        uint64_t hash = hash_bytes(HASH_START, text, strlen(text));
        hash = hash_bytes(hash, scope->location, n_location);
        hash = hash_bytes(hash, scope->device, n_device);
        uint32_t *head = bucket(selector, key, hash);
        entry->next[key] = *head;
        *head = (uint32_t)selector->n;
    }
    selector->n++;
}

/* NONE in each. */
static uint32_t *open_buckets(size_t n)
{
    uint32_t *buckets = malloc(n * sizeof(*buckets));
    return buckets ? memset(buckets, 0xff, n * sizeof(*buckets)) : NULL;
}

static int allocate(struct selector *selector, size_t n)
{
    selector->n_buckets = 16;
    while (selector->n_buckets < n)
        selector->n_buckets *= 2;
    selector->entries = calloc(n + 1, sizeof(*selector->entries));
    for (int key = 0; key < N_KEYS; key++)
        selector->buckets[key] = open_buckets(selector->n_buckets);
    selector->found = calloc(n + 1, sizeof(*selector->found));
    selector->answer = calloc(n + 1, sizeof(*selector->answer));
    return selector->entries && selector->buckets[BY_MEASUREMENT] && selector->buckets[BY_NAME] &&
                   selector->found && selector->answer
               ? 0
               : -ENOMEM;
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
    for (int key = 0; key < N_KEYS; key++)
        free(selector->buckets[key]);
    free(selector->found);
    free(selector->answer);
    free(selector);
}

/* Whether its first star, or its end, comes after n bytes. */
static bool is_literal_for(const char *pattern, size_t n)
{
    return strcspn(pattern, "*") == n;
}

/* What is looked for: the measurement or the name, and whose. */
struct wanted {
    int key;
    const char *text, *location, *device;
};

/* Whether it selects that, and is to be found under these beginnings of the names. */
static bool selects(const struct scope *scope, const struct wanted *wanted, size_t n_location,
                    size_t n_device)
{
    return is_literal_for(scope->location, n_location) && is_literal_for(scope->device, n_device) &&
           strcmp(key_of(scope, wanted->key), wanted->text) == 0 &&
           wildcard_matches(scope->location, wanted->location) &&
           wildcard_matches(scope->device, wanted->device);
}

static int by_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Into selector->found, in the order of the entries; returns their number. */
static size_t find(struct selector *selector, const struct wanted *wanted)
{
    uint64_t whole = hash_bytes(HASH_START, wanted->text, strlen(wanted->text));
    size_t n_location = strlen(wanted->location), n_device = strlen(wanted->device), n = 0;
    for (size_t i = 0; i <= n_location && i < TOPIC_NAME_SIZE; i++) {
        uint64_t hash = hash_bytes(whole, wanted->location, i);
        for (size_t j = 0; j <= n_device && j < TOPIC_NAME_SIZE; j++) {
            if (!selector->lengths[i][j])
                continue;
            uint32_t at = *bucket(selector, wanted->key, hash_bytes(hash, wanted->device, j));
            for (; at != NONE; at = selector->entries[at].next[wanted->key])
                if (selects(scope_of(&selector->entries[at].selected), wanted, i, j))
                    selector->found[n++] = at;
        }
    }
    qsort(selector->found, n, sizeof(*selector->found), by_order);
    return n;
}

size_t selector_find(struct selector *selector, const char *location, const char *device,
                     const char *measurement, const struct selected **found)
{
    struct wanted wanted = {BY_MEASUREMENT, measurement, location, device};
    size_t n = find(selector, &wanted);
    for (size_t i = 0; i < n; i++)
        selector->answer[i] = selector->entries[selector->found[i]].selected;
    *found = selector->answer;
    return n;
}

const struct rule *selector_rule(struct selector *selector, const char *location,
                                 const char *device, const char *name)
{
    struct wanted wanted = {BY_NAME, name, location, device};
    size_t n = find(selector, &wanted);
    for (size_t i = 0; i < n; i++) {
        const struct rule *rule = selector->entries[selector->found[i]].selected.rule;
        if (rule)
            return rule;
    }
    return NULL;
}
