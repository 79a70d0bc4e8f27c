#include "try_channel.h"

#include "channel.h"
#include "clock.h"
#include "notification_json.h"
#include "notification_text.h"
#include "service.h"
#include "webhook.h"

#include <stdio.h>
#include <string.h>

static const struct channel_settings *find_channel(const struct settings *settings,
                                                   const char *name)
{
    int place = channel_settings_find(settings->channels, settings->n_channels, name);

    if (place >= 0)
        return &settings->channels[place];
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

static int make_test(struct notification **out)
{
    const struct item item = {
        .state = ITEM_FIRING,
        .topic = {.kind = TOPIC_ALERT, .location = "test", .device = "test", .name = "test"},
        .since_ms = clock_time_ms(),
        .message = (char *)"this is only a test"};
    int rc = notification_open(out, NOTIFICATION_NEWS, "test", clock_time_ms());

    if (rc < 0)
        return rc;
    notification_name(*out, 0);
    return notification_add_item(*out, &item);
}

int try_channel(const struct settings *settings, const char *name)
{
    const struct channel_settings *channel = find_channel(settings, name);
    struct notification *notification = NULL;
    int code = SERVICE_INTERNAL;

    if (!channel)
        return SERVICE_USAGE;
    if (make_test(&notification) == 0)
        code = channel->type == CHANNEL_WEBHOOK ? post_once(channel, notification)
                                                : print_once(channel, notification);
    notification_close(notification);
    return code;
}
