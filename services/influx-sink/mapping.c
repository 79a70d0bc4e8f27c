#include "mapping.h"

#include "topic.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Replaces the pair of the same name, or puts it where it belongs in the order of names. */
static void put_pair(struct mapping_pair *pairs, size_t *n, const struct mapping_pair *pair)
{
    size_t i = 0;

    while (i < *n && strcmp(pairs[i].from, pair->from) < 0)
        i++;
    if (i < *n && strcmp(pairs[i].from, pair->from) == 0) {
        pairs[i] = *pair;
    } else if (*n < MAPPING_PAIRS_MAX) {
        memmove(pairs + i + 1, pairs + i, (*n - i) * sizeof(*pairs));
        pairs[i] = *pair;
        ++*n;
    }
}

void mapping_apply(const struct mapping *mapping, const char *topic, const char *measurement,
                   struct mapped *out)
{
    out->measurement = measurement;
    out->n_tags = 0;
    out->n_fields = 0;
    for (size_t i = 0; i < mapping->n_rules; i++) {
        const struct mapping_rule *rule = &mapping->rules[i];

        if (!topic_matches(rule->filter, topic))
            continue;
        if (rule->measurement)
            out->measurement = rule->measurement;
        for (size_t j = 0; j < rule->n_tags; j++)
            put_pair(out->tags, &out->n_tags, &rule->tags[j]);
        for (size_t j = 0; j < rule->n_fields; j++)
            put_pair(out->fields, &out->n_fields, &rule->fields[j]);
    }
}

const char *mapped_field(const struct mapped *mapped, const char *name)
{
    for (size_t i = 0; i < mapped->n_fields; i++)
        if (strcmp(mapped->fields[i].from, name) == 0)
            return mapped->fields[i].to;
    return name;
}

bool mapping_is_integer(const struct mapping *mapping, const char *measurement, const char *field)
{
    char name[512];

    if (mapping->n_integers == 0 ||
        snprintf(name, sizeof(name), "%s/%s", measurement, field) >= (int)sizeof(name))
        return false;
    for (size_t i = 0; i < mapping->n_integers; i++)
        if (fnmatch(mapping->integers[i], name, 0) == 0)
            return true;
    return false;
}
