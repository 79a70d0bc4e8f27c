#include "outbound.h"

#include "clock.h"
#include "log.h"
#include "notification_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNTER_SIZE 128
#define LOG_EVERY_MS 10000 /* what others can provoke without end */

struct outbound {
    struct service *service;
    const struct settings *settings;
    struct channel *channels[ROUTE_CHANNELS_MAX];
    struct log_limit limit;
    outbound_change_fn *on_change;
    void *self;
};

static void outbound_count(struct outbound *outbound, const char *what,
                           const struct channel *channel)
{
    char name[COUNTER_SIZE];

    snprintf(name, sizeof name, "%s.%s", what, channel_settings(channel)->name);
    health_raise(health_count(service_health(outbound->service), name), 1);
}

static void publish_outcome(struct outbound *outbound, const struct channel *channel,
                            const struct notification *ended, bool delivered)
{
    char topic[TOPIC_SIZE];
    struct buffer payload = {0};

    if (topic_make(topic, service_root(outbound->service), TOPIC_NOTIFICATION, NULL, NULL,
                   channel_settings(channel)->name) == 0 &&
        notification_outcome(ended, delivered, clock_time_ms(), &payload) == 0)
        mqtt_publish_text(service_mqtt(outbound->service), topic, buffer_string(&payload), false);
    buffer_free(&payload);
}

static void outbound_warn(struct outbound *outbound, const struct channel *channel,
                          const struct notification *ended, const char *event, const char *reason)
{
    health_set_error(service_health(outbound->service), clock_time_ms(), reason);
    if (log_allowed(&outbound->limit, loop_now(service_loop(outbound->service))))
        log_warning(event, "channel=%s id=%s attempts=%u suppressed=%" PRIu64 " reason=\"%s\"",
                    channel_settings(channel)->name, ended->id, ended->attempts,
                    outbound->limit.suppressed, reason);
}

/* Returns whether another channel takes it. */
static bool outbound_fall_back(struct outbound *outbound, const struct channel *channel,
                               const struct notification *ended, const char *reason)
{
    int fallback = channel_settings(channel)->fallback;
    struct notification *copy;

    if (fallback < 0 || notification_copy(&copy, ended) < 0)
        return false;
    copy->attempts = 0;
    copy->error[0] = '\0';
    outbound_count(outbound, "fell_back", channel);
    health_set_error(service_health(outbound->service), clock_time_ms(), reason);
    if (log_allowed(&outbound->limit, loop_now(service_loop(outbound->service))))
        log_warning("notification_fell_back", "channel=%s to=%s id=%s reason=\"%s\"",
                    channel_settings(channel)->name,
                    channel_settings(outbound->channels[fallback])->name, ended->id, reason);
    channel_offer(outbound->channels[fallback], copy);
    return true;
}

static void outbound_on_end(void *self, const struct channel *channel,
                            const struct notification *ended, enum channel_outcome outcome)
{
    static const char *const words[] = {[CHANNEL_DELIVERED] = "delivered",
                                        [CHANNEL_IN_PART] = "in_part",
                                        [CHANNEL_FAILED] = "failed",
                                        [CHANNEL_DROPPED] = "dropped.queue_full"};
    struct outbound *outbound = self;
    bool delivered = outcome == CHANNEL_DELIVERED || outcome == CHANNEL_IN_PART;

    outbound_count(outbound, words[outcome], channel);
    if (outcome != CHANNEL_DROPPED)
        publish_outcome(outbound, channel, ended, delivered);
    if (outcome == CHANNEL_IN_PART)
        outbound_warn(outbound, channel, ended, "notification_in_part", ended->error);
    if (!delivered) {
        const char *reason = outcome == CHANNEL_DROPPED ? "queue full" : ended->error;

        if (!outbound_fall_back(outbound, channel, ended, reason))
            outbound_warn(outbound, channel, ended, "notification_lost", reason);
    }
    outbound->on_change(outbound->self);
}

static void outbound_on_retry(void *self, const struct channel *channel,
                              const struct notification *tried)
{
    struct outbound *outbound = self;

    outbound_count(outbound, "retries", channel);
    if (tried->attempts == 1)
        log_warning("notification_delayed", "channel=%s id=%s reason=\"%s\"",
                    channel_settings(channel)->name, tried->id, tried->error);
    health_set_error(service_health(outbound->service), clock_time_ms(), tried->error);
}

static void outbound_sample(void *self, struct health *health)
{
    struct outbound *outbound = self;
    char name[COUNTER_SIZE];

    for (size_t i = 0; i < outbound->settings->n_channels; i++) {
        const struct channel *channel = outbound->channels[i];

        snprintf(name, sizeof name, "queue.%s", channel_settings(channel)->name);
        health_set(health, name, (double)channel_depth(channel));
        if (channel_settings(channel)->type != CHANNEL_LOG)
            health_set_breaker(health, channel_settings(channel)->name, channel_breaker(channel));
    }
}

int outbound_open(struct outbound **out, struct service *service, const struct settings *settings,
                  outbound_change_fn *on_change, void *self)
{
    static const struct channel_handlers handlers = {outbound_on_end, outbound_on_retry};
    struct outbound *outbound = calloc(1, sizeof *outbound);
    int rc = 0;

    if (!outbound)
        return -ENOMEM;
    outbound->service = service;
    outbound->settings = settings;
    outbound->limit.every_ms = LOG_EVERY_MS;
    outbound->on_change = on_change;
    outbound->self = self;
    for (size_t i = 0; rc == 0 && i < settings->n_channels; i++)
        rc = channel_open(&outbound->channels[i], service_mqtt(service), &settings->channels[i],
                          &handlers, outbound);
    if (rc == 0)
        rc = health_on_sample(service_health(service), outbound_sample, outbound);
    if (rc < 0) {
        outbound_close(outbound);
        return rc;
    }
    *out = outbound;
    return 0;
}

void outbound_close(struct outbound *outbound)
{
    if (!outbound)
        return;
    health_off_sample(service_health(outbound->service), outbound);
    for (size_t i = 0; i < ROUTE_CHANNELS_MAX; i++)
        channel_close(outbound->channels[i]);
    free(outbound);
}

struct channel *const *outbound_channels(const struct outbound *outbound)
{
    return outbound->channels;
}

void outbound_resume(struct outbound *outbound, const char *name, struct notification *notification)
{
    const struct settings *settings = outbound->settings;
    int place = channel_settings_find(settings->channels, settings->n_channels, name);

    if (place < 0) {
        place = settings->route->channels ? ffs((int)settings->route->channels) - 1 : 0;
        log_warning("notification_rerouted",
                    "channel=%s to=%s id=%s reason=\"no such channel any more\"", name,
                    settings->channels[place].name, notification->id);
        health_raise(health_count(service_health(outbound->service), "fell_back.no_such_channel"),
                     1);
    }
    channel_offer(outbound->channels[place], notification);
}

void outbound_stop(struct outbound *outbound)
{
    for (size_t i = 0; i < outbound->settings->n_channels; i++)
        channel_stop(outbound->channels[i]);
}

bool outbound_busy(const struct outbound *outbound)
{
    for (size_t i = 0; i < outbound->settings->n_channels; i++)
        if (channel_busy(outbound->channels[i]))
            return true;
    return false;
}
