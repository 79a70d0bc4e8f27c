#include "channel_settings.h"

#include "limit.h"
#include "route.h"
#include "topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

int template_settings_configure(struct template **out, struct config_node *node, const char *key,
                                const char *fallback)
{
    const char *text = config_string(node, key, fallback);
    char error[256];
    int rc;

    *out = NULL;
    if (!text)
        return 0;
    rc = template_open(out, text, error, sizeof error);
    if (rc == -EINVAL)
        config_problem(node, key, "%s", error);
    return rc == -ENOMEM ? rc : 0;
}

int texts_settings_configure(const char ***out, struct config_node *node, const char *key)
{
    struct config_node *array = config_array(node, key);
    size_t n = config_length(array);

    *out = calloc(n + 1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        (*out)[i] = config_string_at(array, i);
    return 0;
}

/* Absolute, so that no search path decides what is run. */
static int configure_command(struct channel_settings *channel, struct config_node *node)
{
    int rc = texts_settings_configure(&channel->command, node, "command");

    if (rc == 0 && (!channel->command[0] || channel->command[0][0] != '/'))
        config_problem(node, "command",
                       "an array is meant: the path of a program, from / on, and its arguments");
    return rc;
}

static void configure_mqtt(struct channel_settings *channel, struct config_node *node)
{
    channel->topic = config_require_string(node, "topic");
    channel->retain = config_bool(node, "retain", false);
}

static void configure_patience(struct channel_settings *channel, struct config_node *node)
{
    channel->connect_timeout_ms = config_duration(node, "connect_timeout", 5 * SECOND, 100, MINUTE);
    channel->timeout_ms = config_duration(node, "timeout", 10 * SECOND, 100, 5 * MINUTE);
    channel->queue = config_integer(node, "queue", 1000, 1, 100000);
    channel->give_up_after_ms = config_duration(node, "give_up_after", HOUR, SECOND, 7 * 24 * HOUR);
    channel->backoff_first_ms = config_duration(node, "retry_first", SECOND, 10, HOUR);
    channel->backoff_max_ms = config_duration(node, "retry_max", MINUTE, 10, HOUR);
    channel->breaker_failures = config_integer(node, "breaker_failures", 5, 1, 1000);
    channel->breaker_open_ms = config_duration(node, "breaker_open", 30 * SECOND, 10, HOUR);
}

static int configure_type(struct channel_settings *channel, struct config_node *node)
{
    switch (channel->type) {
    case CHANNEL_LOG:
        return 0;
    case CHANNEL_MQTT:
        configure_mqtt(channel, node);
        return 0;
    case CHANNEL_COMMAND:
        return configure_command(channel, node);
    case CHANNEL_MAIL:
        return mail_settings_configure(&channel->mail, node);
    default:
        return http_settings_configure(&channel->http, channel->type, node);
    }
}

static int configure_channel(struct channel_settings *channel, struct config_node *channels,
                             const char *name)
{
    static const char *const types[] = {[CHANNEL_LOG] = "log",
                                        [CHANNEL_MQTT] = "mqtt",
                                        [CHANNEL_COMMAND] = "command",
                                        [CHANNEL_MAIL] = "mail",
                                        [CHANNEL_WEBHOOK] = "webhook",
                                        [CHANNEL_SLACK] = "slack",
                                        [CHANNEL_MATTERMOST] = "mattermost",
                                        [CHANNEL_TEAMS] = "teams",
                                        [CHANNEL_TELEGRAM] = "telegram",
                                        [CHANNEL_NTFY] = "ntfy",
                                        [CHANNEL_GOTIFY] = "gotify",
                                        [CHANNEL_TYPES] = NULL};
    struct config_node *node = config_object(channels, name);
    int rc;

    channel->name = name;
    if (!topic_name_valid(name) || topic_name_reserved(name))
        config_problem(channels, name,
                       "a channel's name is 1 to 64 of a-z, 0-9, _ and -, and does "
                       "not begin with _");
    channel->type = (enum channel_type)config_require_choice(node, "type", types);
    channel->max_per_hour = config_integer(node, "max_per_hour", 0, 0, LIMIT_MAX);
    channel->critical_passes = config_bool(node, "critical_passes", true);
    rc = template_settings_configure(&channel->text, node, "text", NULL);
    if (channel->type != CHANNEL_LOG)
        configure_patience(channel, node);
    return rc == 0 ? configure_type(channel, node) : rc;
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

void channel_settings_free(struct channel_settings *channels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        http_settings_free(&channels[i].http);
        mail_settings_free(&channels[i].mail);
        template_close(channels[i].text);
        free(channels[i].command);
    }
    free(channels);
}
