#include "route.h"

#include <stdlib.h>
#include <string.h>

void route_free(struct route *route)
{
    for (size_t i = 0; i < route->n_children; i++)
        route_free(&route->children[i]);
    free(route->children);
    free(route->name);
    *route = (struct route){0};
}

struct walk {
    const struct topic *topic;
    enum alert_severity severity;
    route_visit_fn *on_visit;
    void *self;
};

/* Whether a child of it would take the alert. */
static bool goes_deeper(const struct route *route, const struct walk *walk)
{
    for (size_t i = 0; i < route->n_children; i++)
        if (match_takes(&route->children[i].match, walk->topic, walk->severity))
            return true;
    return false;
}

/* Returns whether the alert entered. */
static bool walk_route(const struct route *route, const struct walk *walk, unsigned depth)
{
    struct route_visit visit = {.route = route, .depth = depth};

    visit.refused = match_refuses(&route->match, walk->topic, walk->severity);
    visit.taken = !visit.refused && !goes_deeper(route, walk);
    walk->on_visit(walk->self, &visit);
    if (visit.refused)
        return false;
    for (size_t i = 0; i < route->n_children; i++)
        if (walk_route(&route->children[i], walk, depth + 1) && !route->children[i].goes_on)
            break;
    return true;
}

void route_walk(const struct route *root, const struct topic *topic, enum alert_severity severity,
                route_visit_fn *on_visit, void *self)
{
    const struct walk walk = {topic, severity, on_visit, self};

    walk_route(root, &walk, 0);
}

struct takers {
    const struct route **list;
    size_t n;
};

static void on_visit(void *self, const struct route_visit *visit)
{
    struct takers *takers = self;

    if (visit->taken && takers->n < ROUTE_TAKERS_MAX)
        takers->list[takers->n++] = visit->route;
}

size_t route_find(const struct route *root, const struct topic *topic, enum alert_severity severity,
                  const struct route *out[ROUTE_TAKERS_MAX])
{
    struct takers takers = {.list = out};

    route_walk(root, topic, severity, on_visit, &takers);
    return takers.n;
}

const struct route *route_named(const struct route *root, const char *name)
{
    const struct route *found = strcmp(root->name, name) == 0 ? root : NULL;

    for (size_t i = 0; !found && i < root->n_children; i++)
        found = route_named(&root->children[i], name);
    return found;
}
