#include "try_channel.h"

#include "carrier.h"
#include "channel_text.h"
#include "clock.h"
#include "service.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 8000

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

static int carry_once(const struct channel_settings *channel,
                      const struct notification *notification)
{
    const struct carrier_kind *kind = carrier_kind(channel->type);
    struct carrier_result result = {.verdict = CARRIER_RETRY, .error = "out of memory"};
    struct parcel parcel = {0};
    void *carrier = NULL;

    if (kind->open(&carrier, channel) == 0 && kind->pack(channel, notification, &parcel) == 0)
        kind->carry(carrier, &parcel, &result);
    kind->close(carrier);
    parcel_free(&parcel);
    if (result.verdict == CARRIER_DELIVERED) {
        printf("%s: delivered%s%s\n", channel->name, *result.error ? ", not to all: " : "",
               result.error);
        return SERVICE_OK;
    }
    fprintf(stderr, "alerter: %s: not delivered: %s\n", channel->name, result.error);
    return SERVICE_UNAVAILABLE;
}

static int print_once(const struct channel_settings *channel,
                      const struct notification *notification)
{
    struct buffer text = {0};

    channel_text(channel, notification, ESCAPE_NONE, TEXT_MAX, &text);
    printf("%s: %s\n", channel->name, buffer_string(&text));
    buffer_free(&text);
    return SERVICE_OK;
}

/* A connection of its own would need a client of its own in the broker's list of users. */
static int refuse_mqtt(const struct channel_settings *channel)
{
    fprintf(stderr,
            "alerter: %s: only the running service publishes, to %s; try the connection with "
            "--healthcheck\n",
            channel->name, channel->topic);
    return SERVICE_UNAVAILABLE;
}

static int test_channel(const struct channel_settings *channel,
                        const struct notification *notification)
{
    if (channel->type == CHANNEL_MQTT)
        return refuse_mqtt(channel);
    return carrier_kind(channel->type) ? carry_once(channel, notification)
                                       : print_once(channel, notification);
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
    if (make_test(&notification) == 0) {
        notification->zone = channel->zone;
        notification->root = channel->root;
        code = test_channel(channel, notification);
    }
    notification_close(notification);
    return code;
}
