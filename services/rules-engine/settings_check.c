#include "settings_check.h"
#include "overlap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
                fed = !gone[j] &&
                      overlap_reads(&settings->derived[i].scope, &settings->derived[j].scope,
                                    settings->derived[j].measurement);
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

/* A rule or derived value, what nothing else may be called for the same devices, and what is. */
struct claim {
    struct overlap_place place;
    const struct scope *scope, *twin;
};

static int by_place(const void *a, const void *b)
{
    return overlap_order(&(*(struct claim *const *)a)->place, &(*(struct claim *const *)b)->place);
}

/* Whichever comes later in the settings is the twin of the other. */
static void compare(struct claim *a, struct claim *b)
{
    struct claim *first = a < b ? a : b, *later = a < b ? b : a;
    if (!later->twin && overlap_scopes(first->scope, later->scope))
        later->twin = first->scope;
}

/* Not each with each: ten thousand rules are to be checked in no time. */
static int find_twins(struct claim *claims, size_t n)
{
    struct claim **sorted = malloc((n + 1) * sizeof(struct claim *));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &claims[i];
    qsort(sorted, n, sizeof(struct claim *), by_place);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n && overlap_follows(&sorted[i]->place, &sorted[j]->place); j++)
            compare(sorted[i], sorted[j]);
    free(sorted);
    return 0;
}

/* `does`: what the twin does with the name. */
static int check_claims(struct claim *claims, size_t n, const char *key, const char *does)
{
    int error = find_twins(claims, n);
    for (size_t i = 0; i < n && !error; i++)
        if (claims[i].twin)
            config_problem(claims[i].scope->node, key,
                           "is \"%s\", which %s in %s %s for the same devices",
                           claims[i].place.name, config_path(claims[i].twin->node),
                           config_name(claims[i].twin->node), does);
    return error;
}

static int check_derived(const struct settings *settings, struct claim *claims)
{
    for (size_t i = 0; i < settings->n_derived; i++) {
        const struct derived *derived = &settings->derived[i];
        claims[i] = (struct claim){.place = {derived->measurement, derived->scope.device},
                                   .scope = &derived->scope};
    }
    return check_claims(claims, settings->n_derived, "measurement", "publishes");
}

static int check_rules(const struct settings *settings, struct claim *claims)
{
    for (size_t i = 0; i < settings->n_rules; i++) {
        const struct scope *scope = &settings->rules[i].scope;
        claims[i] = (struct claim){.place = {scope->name, scope->device}, .scope = scope};
    }
    return check_claims(claims, settings->n_rules, "name", "is called");
}

static int check_twins(const struct settings *settings)
{
    size_t n = settings->n_rules > settings->n_derived ? settings->n_rules : settings->n_derived;
    struct claim *claims = calloc(n + 1, sizeof(*claims));
    int error = claims ? check_derived(settings, claims) : -ENOMEM;
    if (!error)
        error = check_rules(settings, claims);
    free(claims);
    return error;
}

int settings_check(const struct settings *settings)
{
    int error = check_twins(settings);
    return error ? error : check_loops(settings);
}
