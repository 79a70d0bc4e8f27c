/* Where an alert goes: a tree of matchers. Pure.
 *
 * An alert enters at the root, which takes every one, and goes down to the first child that matches
 * it, and on to that one's next siblings where it says `continue`. Where no child matches, the
 * route itself takes the alert (the order of Prometheus' Alertmanager, docs/configuration.md,
 * "route"). */
#ifndef ROUTE_H
#define ROUTE_H

#include "match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTE_CHANNELS_MAX 32
#define ROUTE_TAKERS_MAX                                                    \
    16 /* routes that take one alert; beyond them the rest is not looked at \
        */
#define ROUTE_STEPS_MAX 8
#define ROUTE_DEPTH_MAX 8

/* What alerts of one group have in common, a bit for each. */
enum { ROUTE_BY_LOCATION = 1, ROUTE_BY_DEVICE = 2, ROUTE_BY_RULE = 4, ROUTE_BY_SEVERITY = 8 };

struct route_step {   /* of escalation */
    int64_t after_ms; /* since the alert was first told */
    uint32_t channels;
};

struct route {
    char *name; /* owned; the matchers from the root down, which tell routes apart over reloads */
    struct match match;
    bool goes_on;        /* `continue` */
    uint32_t channels;   /* a bit for each, by its place in the settings */
    unsigned group_by;   /* ROUTE_BY_… */
    int64_t wait_ms;     /* before the first word of a group, so that what belongs together comes
                            together */
    int64_t interval_ms; /* at least so long between two notifications of news of a group */
    int64_t repeat_ms;   /* while nobody acknowledges */
    uint32_t quiet;      /* a bit for each, by its place in the settings */
    struct route_step steps[ROUTE_STEPS_MAX]; /* in the order of time */
    size_t n_steps;
    struct route *children; /* owned array */
    size_t n_children;
};

void route_free(struct route *route); /* what it owns */

/* The routes that take the alert, at most ROUTE_TAKERS_MAX. `topic` names location, device and
 * rule. */
size_t route_find(const struct route *root, const struct topic *topic, enum alert_severity severity,
                  const struct route *out[ROUTE_TAKERS_MAX]);

/* The same, told route by route as it is found: for each one that is looked at, the field that
 * keeps the alert out ("severity"…), or NULL where it enters, and whether it takes it. */
struct route_visit {
    const struct route *route;
    unsigned depth;
    const char *refused; /* the field, or NULL */
    bool taken;
};
typedef void route_visit_fn(void *self, const struct route_visit *visit);
void route_walk(const struct route *root, const struct topic *topic, enum alert_severity severity,
                route_visit_fn *on_visit, void *self);

/* The route of that name in the tree; NULL where there is none. */
const struct route *route_named(const struct route *root, const char *name);

#endif
