#include "settings.h"

#include "route_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define DAY (24 * 60 * MINUTE)

static int configure_inhibit(struct settings *settings, struct config_node *root)
{
    struct config_node *array = config_array(root, "inhibit");
    size_t n = config_length(array);

    settings->inhibit = calloc(n ? n : 1, sizeof *settings->inhibit);
    if (!settings->inhibit)
        return -ENOMEM;
    settings->n_inhibit = n;
    for (size_t i = 0; i < n; i++) {
        struct config_node *node = config_item(array, i);
        struct inhibit_rule *rule = &settings->inhibit[i];

        match_settings_configure(&rule->source, config_object(node, "source"));
        match_settings_configure(&rule->target, config_object(node, "target"));
        rule->equal = labels_settings_configure(node, "equal", ROUTE_BY_LOCATION);
        rule->grace_ms = config_duration(node, "grace", MINUTE, 0, DAY);
        if (config_length(config_object(node, "source")) == 0)
            config_problem(node, "source", "is required: which alerts silence others");
        if (config_length(config_object(node, "target")) == 0)
            config_problem(node, "target", "is required: which alerts they silence");
    }
    return 0;
}

/* ---- quiet hours ---- */

static unsigned configure_holds(struct config_node *node)
{
    struct config_node *array = config_array(node, "hold");
    unsigned holds = 0;

    if (!config_has(node, "hold"))
        return 1u << ALERT_INFO | 1u << ALERT_WARNING;
    for (size_t i = 0; i < config_length(array); i++) {
        enum alert_severity severity;

        if (alert_severity_parse(&severity, config_string_at(array, i)) < 0)
            config_problem(node, "hold", "there are info, warning and critical");
        else
            holds |= 1u << severity;
    }
    return holds;
}

/* The zone that "time_zone" of the node names, or the first; each is opened once. Returns 0 or
 * -ENOMEM. */
static int configure_zone(struct settings *settings, struct config_node *node,
                          const struct zone **out)
{
    const char *usual = settings->n_zones > 0 ? zone_name(settings->zones[0]) : "UTC";
    const char *name = config_string(node, "time_zone", usual);
    struct zone **grown;
    int rc;

    for (size_t i = 0; i < settings->n_zones; i++)
        if (strcmp(zone_name(settings->zones[i]), name) == 0) {
            *out = settings->zones[i];
            return 0;
        }
    grown = realloc(settings->zones, (settings->n_zones + 1) * sizeof(struct zone *));
    if (!grown)
        return -ENOMEM;
    settings->zones = grown;
    rc = zone_configure(&grown[settings->n_zones], node, usual);
    if (rc == 0)
        *out = grown[settings->n_zones++];
    return rc;
}

static int configure_quiets(struct settings *settings, struct config_node *root)
{
    struct config_node *nodes = config_object(root, "quiet_hours");
    size_t n = config_length(nodes);
    int rc = 0;

    if (n > QUIET_MAX) {
        config_problem(root, "quiet_hours", "at most %d are possible", QUIET_MAX);
        return 0;
    }
    settings->quiets = calloc(n ? n : 1, sizeof *settings->quiets);
    if (!settings->quiets)
        return -ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct quiet *quiet = &settings->quiets[settings->n_quiets++];
        struct config_node *node = config_object(nodes, config_key(nodes, i));

        quiet->name = config_key(nodes, i);
        quiet->holds = configure_holds(node);
        rc = hours_configure(&quiet->hours, node);
        if (rc == 0)
            rc = configure_zone(settings, node, &quiet->hours.zone);
    }
    return rc;
}

/* ---- silences ---- */

static void configure_silence(struct silence *silence, struct config_node *node, const char *name,
                              const struct zone *zone)
{
    const char *until = config_require_string(node, "until");

    snprintf(silence->name, sizeof silence->name, "%s", name);
    match_settings_configure(&silence->match, config_object(node, "match"));
    snprintf(silence->by, sizeof silence->by, "%s", config_string(node, "by", "the configuration"));
    silence->comment = (char *)config_string(node, "comment", NULL);
    silence->configured = true;
    if (*until && zone_parse(zone, until, &silence->until_ms) < 0)
        config_problem(node, "until",
                       "a time is \"2026-12-24 18:00\", or \"2026-12-24T17:00Z\" in UTC");
}

static int configure_silences(struct settings *settings, struct config_node *root)
{
    struct config_node *nodes = config_object(root, "silences");
    size_t n = config_length(nodes);

    settings->silences = calloc(n ? n : 1, sizeof *settings->silences);
    if (!settings->silences)
        return -ENOMEM;
    settings->n_silences = n;
    for (size_t i = 0; i < n; i++) {
        const char *name = config_key(nodes, i);

        if (!topic_name_valid(name))
            config_problem(nodes, name, "a silence's name is 1 to 64 of a-z, 0-9, _ and -");
        configure_silence(&settings->silences[i], config_object(nodes, name), name,
                          settings->zones[0]);
    }
    return 0;
}

/* ---- the whole ---- */

static void configure_flapping(struct flap_settings *flap, struct config_node *root)
{
    struct config_node *node = config_object(root, "flapping");

    flap->changes = config_integer(node, "changes", 6, 0, FLAP_CHANGES_MAX);
    flap->window_ms = config_duration(node, "window", 10 * MINUTE, SECOND, DAY);
    flap->calm_ms = config_duration(node, "calm", 10 * MINUTE, SECOND, DAY);
    if (flap->changes == 1)
        config_problem(node, "changes", "is 2 to %d, or 0 to damp nothing", FLAP_CHANGES_MAX);
}

/* Where those live who are told by a channel, and what they answer to. */
static int configure_readers(struct settings *settings, struct config_node *root)
{
    struct config_node *nodes = config_object(root, "channels");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < settings->n_channels; i++) {
        struct channel_settings *channel = &settings->channels[i];

        channel->root = settings->root;
        rc = configure_zone(settings, config_object(nodes, channel->name), &channel->zone);
    }
    return rc;
}

/* What others read as the suite's is not a channel's to publish. */
static void check_topics(const struct settings *settings, struct config_node *root)
{
    struct config_node *channels = config_object(root, "channels");

    for (size_t i = 0; i < settings->n_channels; i++)
        if (settings->channels[i].type == CHANNEL_MQTT && *settings->channels[i].topic &&
            !topic_is_reply(settings->root, settings->channels[i].topic))
            config_problem(config_object(channels, settings->channels[i].name), "topic",
                           "a topic without wildcards is meant, and none of the suite's own");
}

static int configure_all(struct settings *settings, struct config_node *root)
{
    const struct zone *usual;
    int rc = configure_zone(settings, root, &usual);

    if (rc < 0)
        return rc;
    settings->root = config_string(config_object(root, "mqtt"), "root", "iot");
    settings->remember = config_integer(root, "remember", 10000, 1, 1000000);
    settings->confirm_ms = config_duration(root, "confirm_within", MINUTE, 0, DAY);
    configure_flapping(&settings->flap, root);
    rc = channel_settings_configure(&settings->channels, &settings->n_channels, root);
    check_topics(settings, root);
    if (rc == 0)
        rc = configure_readers(settings, root);
    if (rc == 0)
        rc = configure_quiets(settings, root);
    if (rc == 0)
        rc = route_settings_configure(settings, root);
    if (rc == 0)
        rc = configure_inhibit(settings, root);
    if (rc == 0)
        rc = configure_silences(settings, root);
    return rc;
}

int settings_configure(void **out, struct config_node *root)
{
    struct settings *settings = calloc(1, sizeof *settings);
    int rc = settings ? configure_all(settings, root) : -ENOMEM;

    if (rc < 0) {
        settings_discard(settings);
        return rc;
    }
    *out = settings;
    return 0;
}

void settings_discard(void *self)
{
    struct settings *settings = self;

    if (!settings)
        return;
    channel_settings_free(settings->channels, settings->n_channels);
    for (size_t i = 0; i < settings->n_quiets; i++)
        hours_free(&settings->quiets[i].hours);
    free(settings->quiets);
    if (settings->route)
        route_free(settings->route);
    free(settings->route);
    free(settings->inhibit);
    free(settings->silences);
    for (size_t i = 0; i < settings->n_zones; i++)
        zone_close(settings->zones[i]);
    free(settings->zones);
    free(settings);
}
