#include "inhibit.h"

#include "route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sources { /* active alerts that are a rule's source */
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

static int sources_set(struct sources *sources, const struct record *record, bool active)
{
    size_t place = 0;

    while (place < sources->n && sources->list[place] != record)
        place++;
    if (place == sources->n)
        return active ? sources_add(sources, record) : 0;
    if (!active)
        sources->list[place] = sources->list[--sources->n];
    return 0;
}

int inhibitor_update(struct inhibitor *inhibitor, const struct record *record, bool gone)
{
    int rc = 0;

    for (size_t i = 0; i < inhibitor->n_rules; i++) {
        bool active = !gone && record->state != ALERT_RESOLVED &&
                      match_takes(&inhibitor->rules[i].source, &record->topic, record->severity);
        int error = sources_set(&inhibitor->sources[i], record, active);

        if (error)
            rc = error;
    }
    return rc;
}

static bool equal(const struct record *a, const struct record *b, unsigned by)
{
    return (!(by & ROUTE_BY_LOCATION) || strcmp(a->topic.location, b->topic.location) == 0) &&
           (!(by & ROUTE_BY_DEVICE) || strcmp(a->topic.device, b->topic.device) == 0) &&
           (!(by & ROUTE_BY_RULE) || strcmp(a->topic.name, b->topic.name) == 0) &&
           (!(by & ROUTE_BY_SEVERITY) || a->severity == b->severity);
}

const struct record *inhibitor_find(const struct inhibitor *inhibitor, const struct record *record)
{
    for (size_t i = 0; i < inhibitor->n_rules; i++) {
        const struct inhibit_rule *rule = &inhibitor->rules[i];
        const struct sources *sources = &inhibitor->sources[i];

        if (sources->n == 0 || !match_takes(&rule->target, &record->topic, record->severity) ||
            match_takes(&rule->source, &record->topic, record->severity))
            continue;
        for (size_t j = 0; j < sources->n; j++)
            if (equal(sources->list[j], record, rule->equal))
                return sources->list[j];
    }
    return NULL;
}
