#include "settings_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whether some name matches both. Two patterns with stars can be joined in the middle, so that only
 * what stands before the first star and after the last one can keep them apart. */
static bool may_overlap(const char *a, const char *b)
{
    const char *star_a = strchr(a, '*'), *star_b = strchr(b, '*');
    if (!star_a || !star_b)
        return settings_match(a, b) || settings_match(b, a);
    size_t before = (size_t)(star_a - a), other_before = (size_t)(star_b - b);
    const char *end_a = strrchr(a, '*') + 1, *end_b = strrchr(b, '*') + 1;
    size_t after = strlen(end_a), other_after = strlen(end_b);
    if (other_before < before)
        before = other_before;
    if (other_after < after)
        after = other_after;
    return strncmp(a, b, before) == 0 &&
           strcmp(end_a + strlen(end_a) - after, end_b + strlen(end_b) - after) == 0;
}

static bool scopes_overlap(const struct scope *a, const struct scope *b)
{
    return may_overlap(a->location, b->location) && may_overlap(a->device, b->device);
}

/* Whether `reader` reads the measurement that `writer` gives, for a device that both may mean. */
static bool feeds(const struct derived *writer, const struct derived *reader)
{
    const struct scope *scope = &reader->scope;
    if (strcmp(writer->measurement, scope->measurement) == 0 &&
        scopes_overlap(&writer->scope, scope))
        return true;
    for (size_t i = 0; i < scope->references.n; i++) {
        const struct expression_reference *reference = &scope->references.items[i];
        const char *location = reference->location[0] ? reference->location : scope->location;
        const char *device = reference->device[0] ? reference->device : scope->device;
        if (strcmp(writer->measurement, reference->measurement) == 0 &&
            may_overlap(writer->scope.location, location) &&
            may_overlap(writer->scope.device, device))
            return true;
        /* `a.b` may be the selected measurement of a device a. */
        if (!reference->device[0] && reference->measurement[0] &&
            strcmp(writer->measurement, scope->measurement) == 0 &&
            may_overlap(writer->scope.location, location) &&
            may_overlap(writer->scope.device, reference->measurement))
            return true;
    }
    return false;
}

/* Kahn's algorithm ("Topological sorting of large networks", CACM 5(11), 1962): takes away what
 * nothing left feeds, again and again. What stays is in a loop or behind one. */
static size_t take_away_unfed(const struct settings *settings, bool *gone)
{
    size_t n_gone = 0, before;
    do {
        before = n_gone;
        for (size_t i = 0; i < settings->n_derived; i++) {
            bool fed = gone[i];
            for (size_t j = 0; j < settings->n_derived && !fed; j++)
                fed = !gone[j] && feeds(&settings->derived[j], &settings->derived[i]);
            if (!fed) {
                gone[i] = true;
                n_gone++;
            }
        }
    } while (n_gone > before);
    return settings->n_derived - n_gone;
}

static int check_loops(const struct settings *settings)
{
    bool *gone = calloc(settings->n_derived + 1, sizeof(*gone));
    if (!gone)
        return -ENOMEM;
    if (take_away_unfed(settings, gone) > 0)
        for (size_t i = 0; i < settings->n_derived; i++)
            if (!gone[i])
                config_problem(settings->derived[i].scope.node, NULL,
                               "is in a loop of derived values, or behind one: what it reads comes "
                               "from what it publishes, \"%s\"",
                               settings->derived[i].measurement);
    free(gone);
    return 0;
}

static void check_twins(const struct settings *settings)
{
    for (size_t i = 0; i < settings->n_derived; i++) {
        const struct derived *derived = &settings->derived[i];
        for (size_t j = 0; j < i; j++) {
            const struct derived *other = &settings->derived[j];
            if (strcmp(derived->measurement, other->measurement) == 0 &&
                scopes_overlap(&derived->scope, &other->scope))
                config_problem(derived->scope.node, "measurement",
                               "is \"%s\", which %s in %s publishes for the same devices",
                               derived->measurement, config_path(other->scope.node),
                               config_name(other->scope.node));
        }
    }
    for (size_t i = 0; i < settings->n_rules; i++) {
        const struct scope *scope = &settings->rules[i].scope;
        for (size_t j = 0; j < i; j++) {
            const struct scope *other = &settings->rules[j].scope;
            if (strcmp(scope->name, other->name) == 0 && scopes_overlap(scope, other))
                config_problem(scope->node, "name",
                               "is \"%s\", which is the name of %s in %s for the same devices",
                               scope->name, config_path(other->node), config_name(other->node));
        }
    }
}

int settings_check(const struct settings *settings)
{
    check_twins(settings);
    return check_loops(settings);
}
