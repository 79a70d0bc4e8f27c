#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* A header that could end early would let its value add others: RFC 9110, section 5.5. */
static bool header_is_safe(const char *name, const char *value)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    if (!*name || name[strspn(name, token)] != '\0')
        return false;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return true;
}

static int add_header(struct webhook_settings *webhook, struct config_node *node, const char *name,
                      const char *value)
{
    size_t n = 0;
    char **grown;

    if (!header_is_safe(name, value)) {
        config_problem(node, name,
                       "no HTTP header: letters, digits and - as the name, no control "
                       "characters in the value");
        return 0;
    }
    while (webhook->headers && webhook->headers[n])
        n++;
    grown = realloc(webhook->headers, (n + 2) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    webhook->headers = grown;
    grown[n] = grown[n + 1] = NULL;
    if (asprintf(&grown[n], "%s: %s", name, value) < 0) {
        grown[n] = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int configure_headers(struct webhook_settings *webhook, struct config_node *node)
{
    struct config_node *headers = config_object(node, "headers");
    const char *secret_header = config_string(node, "secret_header", "Authorization");
    const char *secret = config_secret_file(node, "secret_file");
    int rc = add_header(webhook, headers, "Content-Type", "application/json");

    for (size_t i = 0; rc == 0 && i < config_length(headers); i++) {
        const char *name = config_key(headers, i);

        rc = add_header(webhook, headers, name, config_string(headers, name, ""));
    }
    if (rc == 0 && secret)
        rc = add_header(webhook, node, secret_header, secret);
    return rc;
}

static int configure_webhook(struct webhook_settings *webhook, struct config_node *node)
{
    webhook->url = config_url(node, "url", "");
    if (strncmp(webhook->url, "http://", 7) != 0 && strncmp(webhook->url, "https://", 8) != 0)
        config_problem(node, "url", "a webhook needs a URL such as https://host/path");
    webhook->ca_file = config_string(node, "ca_file", NULL);
    webhook->connect_timeout_ms = config_duration(node, "connect_timeout", 5 * SECOND, 100, MINUTE);
    webhook->timeout_ms = config_duration(node, "timeout", 10 * SECOND, 100, 5 * MINUTE);
    return configure_headers(webhook, node);
}

static int configure_channel(struct channel_settings *channel, struct config_node *channels,
                             const char *name)
{
    static const char *const types[] = {[CHANNEL_LOG] = "log", [CHANNEL_WEBHOOK] = "webhook", NULL};
    struct config_node *node = config_object(channels, name);

    channel->name = name;
    if (!topic_name_valid(name) || topic_name_reserved(name))
        config_problem(channels, name,
                       "a channel's name is 1 to 64 of a-z, 0-9, _ and -, and does "
                       "not begin with _");
    channel->type = (enum channel_type)config_require_choice(node, "type", types);
    if (channel->type != CHANNEL_WEBHOOK)
        return 0;
    channel->queue = config_integer(node, "queue", 1000, 1, 100000);
    channel->give_up_after_ms = config_duration(node, "give_up_after", HOUR, SECOND, 7 * 24 * HOUR);
    channel->backoff_first_ms = config_duration(node, "retry_first", SECOND, 10, HOUR);
    channel->backoff_max_ms = config_duration(node, "retry_max", MINUTE, 10, HOUR);
    channel->breaker_failures = config_integer(node, "breaker_failures", 5, 1, 1000);
    channel->breaker_open_ms = config_duration(node, "breaker_open", 30 * SECOND, 10, HOUR);
    return configure_webhook(&channel->webhook, node);
}

static int configure_channels(struct settings *settings, struct config_node *root)
{
    struct config_node *channels = config_object(root, "channels");
    size_t n = config_length(channels);
    int rc = 0;

    if (n == 0 || n > ROUTE_CHANNELS_MAX) {
        config_problem(root, "channels",
                       "1 to %d channels are needed, such as \"log\": "
                       "{\"type\": \"log\"}",
                       ROUTE_CHANNELS_MAX);
        return 0;
    }
    settings->channels = calloc(n, sizeof *settings->channels);
    if (!settings->channels)
        return -ENOMEM;
    settings->n_channels = n;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = configure_channel(&settings->channels[i], channels, config_key(channels, i));
    return rc;
}

static const char *configure_pattern(struct config_node *match, const char *key)
{
    const char *pattern = config_string(match, key, "*");

    if (!route_pattern_valid(pattern))
        config_problem(match, key,
                       "a pattern is of a-z, 0-9, _, - and *, which stands for anything");
    return pattern;
}

static void configure_severity(struct route *route, struct config_node *match)
{
    enum alert_severity unused;

    route->severity = configure_pattern(match, "severity");
    if (!strchr(route->severity, '*') && alert_severity_parse(&unused, route->severity) < 0)
        config_problem(match, "severity", "there are info, warning and critical, and *");
}

static void configure_route(struct route *route, const struct settings *settings,
                            struct config_node *node)
{
    struct config_node *match = config_object(node, "match");
    struct config_node *channels = config_array(node, "channels");

    configure_severity(route, match);
    route->location = configure_pattern(match, "location");
    route->device = configure_pattern(match, "device");
    route->rule = configure_pattern(match, "rule");
    if (config_length(channels) == 0)
        config_problem(node, "channels", "a route needs at least one channel");
    for (size_t i = 0; i < config_length(channels); i++) {
        const char *name = config_string_at(channels, i);
        size_t place = 0;

        while (place < settings->n_channels && strcmp(settings->channels[place].name, name) != 0)
            place++;
        if (place == settings->n_channels)
            config_problem(node, "channels", "there is no channel \"%s\" in \"channels\"", name);
        else
            route->channels |= UINT32_C(1) << place;
    }
}

static int configure_routes(struct settings *settings, struct config_node *root)
{
    struct config_node *routes = config_array(root, "routes");
    size_t n = config_length(routes);

    if (n == 0)
        config_problem(root, "routes",
                       "at least one route is needed, such as {\"channels\": "
                       "[\"log\"]}, which takes every alert");
    settings->routes = calloc(n ? n : 1, sizeof *settings->routes);
    if (!settings->routes)
        return -ENOMEM;
    settings->n_routes = n;
    for (size_t i = 0; i < n; i++)
        configure_route(&settings->routes[i], settings, config_item(routes, i));
    return 0;
}

int settings_configure(void **out, struct config_node *root)
{
    struct settings *settings = calloc(1, sizeof *settings);
    int rc;

    if (!settings)
        return -ENOMEM;
    settings->remember = config_integer(root, "remember", 10000, 1, 1000000);
    rc = configure_channels(settings, root);
    if (rc == 0)
        rc = configure_routes(settings, root);
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
    for (size_t i = 0; i < settings->n_channels; i++) {
        char **headers = settings->channels[i].webhook.headers;

        for (size_t j = 0; headers && headers[j]; j++) {
            explicit_bzero(headers[j], strlen(headers[j]));
            free(headers[j]);
        }
        free(headers);
    }
    free(settings->channels);
    free(settings->routes);
    free(settings);
}
