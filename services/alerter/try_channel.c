#include "alerter.h"

#include "channel.h"
#include "clock.h"
#include "settings.h"
#include "webhook.h"

#include <stdio.h>
#include <string.h>

static const struct channel_settings *find_channel(const struct settings *settings,
                                                   const char *name)
{
    for (size_t i = 0; i < settings->n_channels; i++)
        if (strcmp(settings->channels[i].name, name) == 0)
            return &settings->channels[i];
    fprintf(stderr, "alerter: there is no channel \"%s\"; there are:", name);
    for (size_t i = 0; i < settings->n_channels; i++)
        fprintf(stderr, " %s", settings->channels[i].name);
    fputc('\n', stderr);
    return NULL;
}

static int post_once(const struct channel_settings *channel,
                     const struct notification *notification)
{
    struct webhook_result result = {.verdict = WEBHOOK_RETRY, .error = "out of memory"};
    struct buffer body = {0};
    struct http *http = NULL;

    if (webhook_http(&http, &channel->webhook) == 0 && notification_body(notification, &body) == 0)
        webhook_post(http, &channel->webhook, &body, &result);
    http_close(http);
    buffer_free(&body);
    if (result.verdict == WEBHOOK_DELIVERED) {
        printf("%s: delivered\n", channel->name);
        return SERVICE_OK;
    }
    fprintf(stderr, "alerter: %s: not delivered: %s\n", channel->name, result.error);
    return SERVICE_UNAVAILABLE;
}

static int print_once(const struct channel_settings *channel,
                      const struct notification *notification)
{
    struct buffer text = {0};

    notification_text(notification, &text);
    printf("%s: %s\n", channel->name, buffer_string(&text));
    buffer_free(&text);
    return SERVICE_OK;
}

int alerter_test(const void *self, const struct service_arguments *arguments)
{
    const struct channel_settings *channel =
        find_channel(self, service_argument(arguments, "test"));
    const struct topic topic = {
        .kind = TOPIC_ALERT, .location = "test", .device = "test", .name = "test"};
    const struct alert alert = {.state = ALERT_FIRING,
                                .severity = ALERT_INFO,
                                .since_ms = clock_time_ms(),
                                .message = "this is only a test",
                                .rule = "test"};
    struct notification *notification;
    int code;

    if (!channel)
        return SERVICE_USAGE;
    if (notification_open(&notification, &topic, &alert, alert.since_ms) < 0)
        return SERVICE_INTERNAL;
    code = channel->type == CHANNEL_WEBHOOK ? post_once(channel, notification)
                                            : print_once(channel, notification);
    notification_close(notification);
    return code;
}
