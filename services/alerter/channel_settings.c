#include "channel_settings.h"

#include "limit.h"
#include "route.h"

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
    channel->max_per_hour = config_integer(node, "max_per_hour", 0, 0, LIMIT_MAX);
    channel->critical_passes = config_bool(node, "critical_passes", true);
    if (channel->type == CHANNEL_LOG)
        return 0;
    channel->queue = config_integer(node, "queue", 1000, 1, 100000);
    channel->give_up_after_ms = config_duration(node, "give_up_after", HOUR, SECOND, 7 * 24 * HOUR);
    channel->backoff_first_ms = config_duration(node, "retry_first", SECOND, 10, HOUR);
    channel->backoff_max_ms = config_duration(node, "retry_max", MINUTE, 10, HOUR);
    channel->breaker_failures = config_integer(node, "breaker_failures", 5, 1, 1000);
    channel->breaker_open_ms = config_duration(node, "breaker_open", 30 * SECOND, 10, HOUR);
    return configure_webhook(&channel->webhook, node);
}

int channel_settings_find(const struct channel_settings *channels, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(channels[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* What could not be delivered goes on, never in a circle. */
static void configure_fallback(struct channel_settings *channels, size_t n, size_t place,
                               struct config_node *nodes)
{
    struct config_node *node = config_object(nodes, channels[place].name);
    const char *name = config_string(node, "fallback", NULL);
    size_t hops = 0;

    channels[place].fallback = name ? channel_settings_find(channels, n, name) : -1;
    if (name && channels[place].fallback < 0)
        config_problem(node, "fallback", "there is no channel \"%s\" in \"channels\"", name);
    for (int at = channels[place].fallback; at >= 0 && hops <= n; hops++)
        at = channels[at].fallback;
    if (hops > n) {
        config_problem(node, "fallback", "falls back in a circle");
        channels[place].fallback = -1;
    }
}

int channel_settings_configure(struct channel_settings **out, size_t *out_n,
                               struct config_node *root)
{
    struct config_node *nodes = config_object(root, "channels");
    size_t n = config_length(nodes);
    struct channel_settings *channels;
    int rc = 0;

    if (n == 0 || n > ROUTE_CHANNELS_MAX) {
        config_problem(root, "channels",
                       "1 to %d channels are needed, such as \"log\": "
                       "{\"type\": \"log\"}",
                       ROUTE_CHANNELS_MAX);
        return 0;
    }
    *out = channels = calloc(n, sizeof *channels);
    if (!channels)
        return -ENOMEM;
    *out_n = n;
    for (size_t i = 0; i < n; i++)
        channels[i].fallback = -1;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = configure_channel(&channels[i], nodes, config_key(nodes, i));
    for (size_t i = 0; rc == 0 && i < n; i++)
        configure_fallback(channels, n, i, nodes);
    return rc;
}

static void free_headers(char **headers)
{
    for (size_t i = 0; headers && headers[i]; i++) {
        explicit_bzero(headers[i], strlen(headers[i]));
        free(headers[i]);
    }
    free(headers);
}

void channel_settings_free(struct channel_settings *channels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free_headers(channels[i].webhook.headers);
    free(channels);
}
