#include "inhibit.h"

#include "route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sources { /* alerts that are a rule's source, and those that were it lately */
    const struct record **list;
    size_t n, capacity;
};

struct inhibitor {
    const struct inhibit_rule *rules;
    size_t n_rules;
    struct sources sources[]; /* of each rule */
};

int inhibitor_open(struct inhibitor **out, const struct inhibit_rule *rules, size_t n_rules)
{
    struct inhibitor *inhibitor =
        calloc(1, sizeof *inhibitor + n_rules * sizeof inhibitor->sources[0]);

    if (!inhibitor)
        return -ENOMEM;
    inhibitor->rules = rules;
    inhibitor->n_rules = n_rules;
    *out = inhibitor;
    return 0;
}

void inhibitor_close(struct inhibitor *inhibitor)
{
    if (!inhibitor)
        return;
    for (size_t i = 0; i < inhibitor->n_rules; i++)
        free(inhibitor->sources[i].list);
    free(inhibitor);
}

static int sources_add(struct sources *sources, const struct record *record)
{
    if (sources->n == sources->capacity) {
        size_t capacity = sources->capacity ? 2 * sources->capacity : 4;
        const struct record **grown = realloc(sources->list, capacity * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        sources->list = grown;
        sources->capacity = capacity;
    }
    sources->list[sources->n++] = record;
    return 0;
}

static bool is_over(const struct record *record)
{
    return record->state == ALERT_RESOLVED || record->lost;
}

static bool inhibits(const struct inhibit_rule *rule, const struct record *record, int64_t time_ms)
{
    return !is_over(record) || time_ms < record->over_ms + rule->grace_ms;
}

static void sources_remove(struct sources *sources, const struct record *record)
{
    for (size_t i = sources->n; i-- > 0;)
        if (sources->list[i] == record)
            sources->list[i] = sources->list[--sources->n];
}

/* Those whose grace has passed. */
static void sources_expire(struct sources *sources, const struct inhibit_rule *rule,
                           int64_t time_ms)
{
    for (size_t i = sources->n; i-- > 0;)
        if (!inhibits(rule, sources->list[i], time_ms))
            sources->list[i] = sources->list[--sources->n];
}

int inhibitor_update(struct inhibitor *inhibitor, const struct record *record, int64_t time_ms)
{
    int rc = 0;

    for (size_t i = 0; i < inhibitor->n_rules; i++) {
        const struct inhibit_rule *rule = &inhibitor->rules[i];
        struct sources *sources = &inhibitor->sources[i];

        sources_remove(sources, record);
        sources_expire(sources, rule, time_ms);
        if (inhibits(rule, record, time_ms) &&
            match_takes(&rule->source, &record->topic, record->severity) &&
            sources_add(sources, record) < 0)
            rc = -ENOMEM;
    }
    return rc;
}

void inhibitor_forget(struct inhibitor *inhibitor, const struct record *record)
{
    for (size_t i = 0; i < inhibitor->n_rules; i++)
        sources_remove(&inhibitor->sources[i], record);
}

int64_t inhibitor_next_ms(const struct inhibitor *inhibitor, int64_t time_ms)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < inhibitor->n_rules; i++) {
        const struct sources *sources = &inhibitor->sources[i];

        for (size_t j = 0; j < sources->n; j++) {
            int64_t end_ms = sources->list[j]->over_ms + inhibitor->rules[i].grace_ms;

            if (is_over(sources->list[j]) && end_ms > time_ms && end_ms < next_ms)
                next_ms = end_ms;
        }
    }
    return next_ms;
}

static bool equal(const struct record *a, const struct record *b, unsigned by)
{
    return (!(by & ROUTE_BY_LOCATION) || strcmp(a->topic.location, b->topic.location) == 0) &&
           (!(by & ROUTE_BY_DEVICE) || strcmp(a->topic.device, b->topic.device) == 0) &&
           (!(by & ROUTE_BY_RULE) || strcmp(a->topic.name, b->topic.name) == 0) &&
           (!(by & ROUTE_BY_SEVERITY) || a->severity == b->severity);
}

const struct record *inhibitor_find(const struct inhibitor *inhibitor, const struct record *record,
                                    int64_t time_ms)
{
    for (size_t i = 0; i < inhibitor->n_rules; i++) {
        const struct inhibit_rule *rule = &inhibitor->rules[i];
        const struct sources *sources = &inhibitor->sources[i];

        if (sources->n == 0 || !match_takes(&rule->target, &record->topic, record->severity) ||
            match_takes(&rule->source, &record->topic, record->severity))
            continue;
        for (size_t j = 0; j < sources->n; j++)
            if (inhibits(rule, sources->list[j], time_ms) &&
                equal(sources->list[j], record, rule->equal))
                return sources->list[j];
    }
    return NULL;
}
