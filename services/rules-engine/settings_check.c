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

static void check_twins(const struct settings *settings)
{
    for (size_t i = 0; i < settings->n_derived; i++) {
        const struct derived *derived = &settings->derived[i];
        for (size_t j = 0; j < i; j++) {
            const struct derived *other = &settings->derived[j];
            if (strcmp(derived->measurement, other->measurement) == 0 &&
                overlap_scopes(&derived->scope, &other->scope))
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
            if (strcmp(scope->name, other->name) == 0 && overlap_scopes(scope, other))
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
