#include "route_settings.h"

#include "buffer.h"
#include "wildcard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* ---- matchers ---- */

static const char *configure_pattern(struct config_node *match, const char *key)
{
    const char *pattern = config_string(match, key, NULL);

    if (pattern && !wildcard_valid(pattern))
        config_problem(match, key,
                       "a pattern is of a-z, 0-9, _ and -, * which stands for anything, and | "
                       "between several");
    return pattern;
}

/* A pattern that no severity matches is a slip of the pen. */
static void check_severity(const char *pattern, struct config_node *match)
{
    for (int i = ALERT_INFO; pattern && i <= ALERT_CRITICAL; i++)
        if (wildcard_matches(pattern, alert_severity_name((enum alert_severity)i)))
            return;
    if (pattern)
        config_problem(match, "severity", "there are info, warning and critical, and *");
}

void match_settings_configure(struct match *match, struct config_node *node)
{
    match->severity = configure_pattern(node, "severity");
    match->location = configure_pattern(node, "location");
    match->device = configure_pattern(node, "device");
    match->rule = configure_pattern(node, "rule");
    check_severity(match->severity, node);
}

unsigned labels_settings_configure(struct config_node *node, const char *key, unsigned fallback)
{
    static const char *const names[] = {"location", "device", "rule", "severity"};
    struct config_node *array = config_array(node, key);
    unsigned labels = 0;

    if (!config_has(node, key))
        return fallback;
    for (size_t i = 0; i < config_length(array); i++) {
        const char *name = config_string_at(array, i);
        unsigned j = 0;

        while (j < 4 && strcmp(names[j], name) != 0)
            j++;
        if (j == 4)
            config_problem(node, key, "\"%s\" is none of location, device, rule and severity",
                           name);
        else
            labels |= 1u << j;
    }
    return labels;
}

/* ---- routes ---- */

static uint32_t configure_channels(const struct settings *settings, struct config_node *node)
{
    struct config_node *array = config_array(node, "channels");
    uint32_t channels = 0;

    for (size_t i = 0; i < config_length(array); i++) {
        const char *name = config_string_at(array, i);
        int place = channel_settings_find(settings->channels, settings->n_channels, name);

        if (place < 0)
            config_problem(node, "channels", "there is no channel \"%s\" in \"channels\"", name);
        else
            channels |= UINT32_C(1) << place;
    }
    return channels;
}

static uint32_t configure_quiet(const struct settings *settings, struct config_node *node,
                                uint32_t inherited)
{
    struct config_node *array = config_array(node, "quiet");
    uint32_t quiet = 0;

    if (!config_has(node, "quiet"))
        return inherited;
    for (size_t i = 0; i < config_length(array); i++) {
        const char *name = config_string_at(array, i);
        size_t place = 0;

        while (place < settings->n_quiets && strcmp(settings->quiets[place].name, name) != 0)
            place++;
        if (place == settings->n_quiets)
            config_problem(node, "quiet", "there are no quiet hours \"%s\" in \"quiet_hours\"",
                           name);
        else
            quiet |= UINT32_C(1) << place;
    }
    return quiet;
}

static void configure_steps(struct route *route, const struct settings *settings,
                            struct config_node *node)
{
    struct config_node *array = config_array(node, "escalate");
    size_t n = config_length(array);

    if (!config_has(node, "escalate"))
        return; /* inherited */
    if (n > ROUTE_STEPS_MAX)
        config_problem(node, "escalate", "at most %d steps are possible", ROUTE_STEPS_MAX);
    route->n_steps = n < ROUTE_STEPS_MAX ? n : ROUTE_STEPS_MAX;
    for (size_t i = 0; i < route->n_steps; i++) {
        struct config_node *item = config_item(array, i);
        struct route_step *step = &route->steps[i];

        step->after_ms = config_duration(item, "after", 0, SECOND, 7 * DAY);
        step->channels = configure_channels(settings, item);
        if (!config_has(item, "after"))
            config_problem(item, "after", "is required, such as \"10m\"");
        if (!step->channels)
            config_problem(item, "channels", "a step needs at least one channel");
        if (i > 0 && step->after_ms <= step[-1].after_ms)
            config_problem(item, "after", "is not after the step before it");
    }
}

/* "{severity=critical}" behind the parent's. */
static char *make_name(const struct route *parent, const struct match *match, size_t twins)
{
    struct buffer name = {0};

    buffer_format(&name, "%s{", parent ? parent->name : "");
    if (match->severity)
        buffer_format(&name, " severity=%s", match->severity);
    if (match->location)
        buffer_format(&name, " location=%s", match->location);
    if (match->device)
        buffer_format(&name, " device=%s", match->device);
    if (match->rule)
        buffer_format(&name, " rule=%s", match->rule);
    buffer_text(&name, " }");
    if (twins)
        buffer_format(&name, "#%zu", twins + 1);
    if (!name.failed)
        return name.data;
    buffer_free(&name);
    return NULL;
}

/* Gives the route a name that no sibling before it has. */
static int name_route(struct route *route, const struct route *parent)
{
    size_t twins = 0;

    for (;;) {
        size_t i = 0;

        free(route->name);
        route->name = make_name(parent, &route->match, twins);
        if (!route->name)
            return -ENOMEM;
        while (parent && &parent->children[i] != route &&
               strcmp(parent->children[i].name, route->name) != 0)
            i++;
        if (!parent || &parent->children[i] == route)
            return 0;
        twins++;
    }
}

static void configure_times(struct route *route, struct config_node *node)
{
    route->wait_ms = config_duration(node, "group_wait", route->wait_ms, 0, HOUR);
    route->interval_ms = config_duration(node, "group_interval", route->interval_ms, 0, DAY);
    route->repeat_ms = config_duration(node, "repeat_interval", route->repeat_ms, 0, 31 * DAY);
    if (route->repeat_ms > 0 && route->repeat_ms < SECOND)
        config_problem(node, "repeat_interval", "is at least \"1s\", or \"0s\" for never");
}

struct place {                  /* of a route in the tree */
    const struct route *parent; /* NULL: it is the root */
    unsigned depth;
};

static int configure_route(struct route *route, const struct settings *settings,
                           struct config_node *node, const struct place *place);

/* One that takes everything hides those after it. */
static void check_reached(const struct route *route, struct config_node *array)
{
    for (size_t i = 0; i + 1 < route->n_children; i++) {
        const struct route *child = &route->children[i];
        const struct match *match = &child->match;

        if (!child->goes_on && !match->severity && !match->location && !match->device &&
            !match->rule)
            config_problem(config_item(array, i), "match",
                           "matches everything, so that no route after it is ever reached: put "
                           "this one last, or give it \"continue\": true");
    }
}

static int configure_children(struct route *route, const struct settings *settings,
                              struct config_node *node, unsigned depth)
{
    const struct place place = {route, depth + 1};
    struct config_node *array = config_array(node, "routes");
    size_t n = config_length(array);
    int rc = 0;

    if (n > 0 && depth == ROUTE_DEPTH_MAX) {
        config_problem(node, "routes", "lie deeper than %d", ROUTE_DEPTH_MAX);
        return 0;
    }
    route->children = calloc(n ? n : 1, sizeof *route->children);
    if (!route->children)
        return -ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        route->n_children = i + 1;
        rc = configure_route(&route->children[i], settings, config_item(array, i), &place);
    }
    if (rc == 0)
        check_reached(route, array);
    return rc;
}

/* What a route does not say is as its parent has it. */
static int configure_route(struct route *route, const struct settings *settings,
                           struct config_node *node, const struct place *place)
{
    if (place->parent) {
        *route = *place->parent;
        route->name = NULL;
        route->children = NULL;
        route->n_children = 0;
        match_settings_configure(&route->match, config_object(node, "match"));
        route->goes_on = config_bool(node, "continue", false);
    }
    if (name_route(route, place->parent) < 0)
        return -ENOMEM;
    if (!place->parent && !config_has(node, "channels"))
        config_problem(node, "channels",
                       "is required: who is told of what no route in \"routes\" takes, [] for "
                       "nobody");
    if (config_has(node, "channels") || !place->parent)
        route->channels = configure_channels(settings, node);
    route->group_by = labels_settings_configure(node, "group_by", route->group_by);
    route->quiet = configure_quiet(settings, node, route->quiet);
    configure_times(route, node);
    configure_steps(route, settings, node);
    return configure_children(route, settings, node, place->depth);
}

int route_settings_configure(struct settings *settings, struct config_node *root)
{
    const struct place place = {NULL, 0};

    settings->route = calloc(1, sizeof *settings->route);
    if (!settings->route)
        return -ENOMEM;
    settings->route->group_by = ROUTE_BY_LOCATION;
    settings->route->wait_ms = 5 * SECOND;
    settings->route->interval_ms = MINUTE;
    settings->route->repeat_ms = 4 * HOUR;
    if (!config_has(root, "route"))
        config_problem(root, "route",
                       "is required, such as {\"channels\": [\"log\"]}, which takes every alert");
    return configure_route(settings->route, settings, config_object(root, "route"), &place);
}
