#include "alerter.h"

#include "channel.h"
#include "clock.h"
#include "dead_letter.h"
#include "keeper.h"
#include "life.h"
#include "log.h"
#include "route.h"
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTER_SIZE 128
#define LOG_EVERY_MS 10000 /* what others can provoke without end */

struct alerter {
    const struct settings *settings;
    struct service *service;
    struct mqtt *mqtt;
    struct life *life;
    struct channel *channels[ROUTE_CHANNELS_MAX];
    struct keeper *keeper;
    bool cold; /* nothing is remembered: what is retained is no news */
    struct log_limit bad_limit;
    struct log_limit lost_limit;
    health_counter *alerts;
    health_counter *repeated;
    health_counter *bad;
    health_counter *unrouted;
    health_counter *lost;
};

static void alerter_count(struct alerter *alerter, const char *what, const struct channel *channel)
{
    char name[COUNTER_SIZE];

    snprintf(name, sizeof name, "%s.%s", what, channel_settings(channel)->name);
    health_raise(health_count(service_health(alerter->service), name), 1);
}

static void publish_outcome(struct alerter *alerter, const struct channel *channel,
                            const struct notification *ended, bool delivered)
{
    char topic[TOPIC_SIZE];
    struct buffer payload = {0};

    if (topic_make(topic, service_root(alerter->service), TOPIC_NOTIFICATION, NULL, NULL,
                   channel_settings(channel)->name) == 0 &&
        notification_outcome(ended, delivered, clock_time_ms(), &payload) == 0)
        mqtt_publish_text(alerter->mqtt, topic, buffer_string(&payload), false);
    buffer_free(&payload);
}

static void alerter_lost(struct alerter *alerter, const struct channel *channel,
                         const struct notification *lost, const char *reason)
{
    health_set_error(service_health(alerter->service), clock_time_ms(), reason);
    if (log_allowed(&alerter->lost_limit, loop_now(service_loop(alerter->service))))
        log_warning("notification_lost",
                    "channel=%s id=%s attempts=%u suppressed=%" PRIu64 " reason=\"%s\"",
                    channel_settings(channel)->name, lost->id, lost->attempts,
                    alerter->lost_limit.suppressed, reason);
}

static void alerter_on_end(void *self, const struct channel *channel,
                           const struct notification *ended, enum channel_outcome outcome)
{
    static const char *const words[] = {[CHANNEL_DELIVERED] = "delivered",
                                        [CHANNEL_FAILED] = "failed",
                                        [CHANNEL_DROPPED] = "dropped.queue_full"};
    struct alerter *alerter = self;

    alerter_count(alerter, words[outcome], channel);
    if (outcome != CHANNEL_DROPPED)
        publish_outcome(alerter, channel, ended, outcome == CHANNEL_DELIVERED);
    if (outcome != CHANNEL_DELIVERED)
        alerter_lost(alerter, channel, ended,
                     outcome == CHANNEL_DROPPED ? "queue full" : ended->error);
    keeper_changed(alerter->keeper);
}

static void alerter_on_retry(void *self, const struct channel *channel,
                             const struct notification *tried)
{
    struct alerter *alerter = self;

    alerter_count(alerter, "retries", channel);
    if (tried->attempts == 1)
        log_warning("notification_delayed", "channel=%s id=%s reason=\"%s\"",
                    channel_settings(channel)->name, tried->id, tried->error);
    health_set_error(service_health(alerter->service), clock_time_ms(), tried->error);
}

static void alerter_notify(struct alerter *alerter, const struct topic *topic,
                           const struct alert *alert)
{
    const struct settings *settings = alerter->settings;
    uint32_t channels =
        route_channels(settings->routes, settings->n_routes, topic, alert->severity);

    if (!channels)
        health_raise(alerter->unrouted, 1);
    for (size_t i = 0; i < settings->n_channels; i++) {
        struct notification *notification;

        if (!(channels >> i & 1))
            continue;
        if (notification_open(&notification, topic, alert, clock_time_ms()) == 0)
            channel_offer(alerter->channels[i], notification);
        else
            health_raise(alerter->lost, 1);
    }
}

struct heard {
    struct alerter *alerter;
    const struct topic *topic;
    bool retained;
};

static int alerter_on_alert(void *self, const struct alert *alert)
{
    const struct heard *heard = self;
    struct alerter *alerter = heard->alerter;
    int news = life_offer(alerter->life, heard->topic, alert, heard->retained && alerter->cold);

    health_raise(alerter->alerts, 1);
    if (news < 0)
        health_raise(alerter->lost, 1);
    else if (news == 0)
        health_raise(alerter->repeated, 1);
    else
        alerter_notify(alerter, heard->topic, alert);
    keeper_changed(alerter->keeper);
    return 0;
}

static void alerter_refuse(struct alerter *alerter, const struct mqtt_message *message,
                           const char *detail)
{
    health_raise(alerter->bad, 1);
    if (log_allowed(&alerter->bad_limit, loop_now(service_loop(alerter->service))))
        log_warning("alert_refused", "topic=%s suppressed=%" PRIu64 " reason=\"%s\"",
                    message->topic, alerter->bad_limit.suppressed, detail);
    (void)dead_letter_publish(alerter->mqtt, "alerter", message, "bad_alert", detail);
}

static void alerter_on_message(void *self, const struct mqtt_message *message)
{
    struct alerter *alerter = self;
    struct topic topic;
    struct heard heard = {alerter, &topic, message->retained};
    char error[256];

    if (topic_parse(&topic, service_root(alerter->service), message->topic) < 0) {
        alerter_refuse(alerter, message, "the topic's names are not of a-z, 0-9, _ and -");
    } else if (message->size == 0) { /* the retained alert was deleted */
        life_forget(alerter->life, &topic);
        keeper_changed(alerter->keeper);
    } else if (alert_decode(message->payload, message->size, alerter_on_alert, &heard, error,
                            sizeof error) < 0) {
        alerter_refuse(alerter, message, error);
    }
}

static void alerter_sample(void *self, struct health *health)
{
    struct alerter *alerter = self;
    char name[COUNTER_SIZE];

    health_set(health, "alerts_active", (double)life_active(alerter->life));
    health_set(health, "alerts_known", (double)life_size(alerter->life));
    health_set(health, "alerts_forgotten", (double)life_forgotten(alerter->life));
    for (size_t i = 0; i < alerter->settings->n_channels; i++) {
        const struct channel *channel = alerter->channels[i];

        snprintf(name, sizeof name, "queue.%s", channel_settings(channel)->name);
        health_set(health, name, (double)channel_depth(channel));
        if (channel_settings(channel)->type == CHANNEL_WEBHOOK)
            health_set_breaker(health, channel_settings(channel)->name, channel_breaker(channel));
    }
}

static void alerter_on_pending(void *self, const char *name, struct notification *notification)
{
    struct alerter *alerter = self;

    for (size_t i = 0; i < alerter->settings->n_channels; i++) {
        if (strcmp(alerter->settings->channels[i].name, name) == 0) {
            channel_offer(alerter->channels[i], notification);
            return;
        }
    }
    log_warning("notification_lost", "channel=%s id=%s reason=\"no such channel any more\"", name,
                notification->id);
    health_raise(alerter->lost, 1);
    notification_close(notification);
}

static int open_memory(struct alerter *alerter)
{
    const struct keeper_parts parts = {.loop = service_loop(alerter->service),
                                       .life = alerter->life,
                                       .channels = alerter->channels,
                                       .n_channels = alerter->settings->n_channels};
    int rc = keeper_open(&alerter->keeper, &parts, service_state_dir(alerter->service));

    if (rc == 0)
        rc = keeper_load(alerter->keeper, alerter_on_pending, alerter);
    alerter->cold = rc == 0;
    return rc < 0 ? rc : 0;
}

static int open_channels(struct alerter *alerter)
{
    static const struct channel_handlers handlers = {alerter_on_end, alerter_on_retry};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < alerter->settings->n_channels; i++)
        rc = channel_open(&alerter->channels[i], service_loop(alerter->service),
                          &alerter->settings->channels[i], &handlers, alerter);
    return rc;
}

static int subscribe(struct alerter *alerter)
{
    char filter[TOPIC_SIZE];
    int rc = topic_make(filter, service_root(alerter->service), TOPIC_ALERT, "+", "+", "+");

    if (rc < 0)
        return rc;
    return mqtt_subscribe(alerter->mqtt, filter, 0, alerter_on_message, alerter);
}

static void open_counters(struct alerter *alerter)
{
    struct health *health = service_health(alerter->service);

    alerter->alerts = health_count(health, "alerts");
    alerter->repeated = health_count(health, "alerts.no_news");
    alerter->bad = health_count(health, "refused.bad_alert");
    alerter->unrouted = health_count(health, "dropped.no_route");
    alerter->lost = health_count(health, "dropped.other");
}

static void alerter_free(struct alerter *alerter)
{
    health_off_sample(service_health(alerter->service), alerter);
    keeper_close(alerter->keeper);
    for (size_t i = 0; i < ROUTE_CHANNELS_MAX; i++)
        channel_close(alerter->channels[i]);
    life_close(alerter->life);
    free(alerter);
}

int alerter_start(void **out, struct service *service, const void *settings)
{
    struct alerter *alerter = calloc(1, sizeof *alerter);
    int rc;

    if (!alerter)
        return -ENOMEM;
    alerter->settings = settings;
    alerter->service = service;
    alerter->mqtt = service_mqtt(service);
    alerter->bad_limit.every_ms = LOG_EVERY_MS;
    alerter->lost_limit.every_ms = LOG_EVERY_MS;
    open_counters(alerter);
    rc = life_open(&alerter->life, (size_t)alerter->settings->remember);
    if (rc == 0)
        rc = open_channels(alerter);
    if (rc == 0)
        rc = open_memory(alerter);
    if (rc == 0)
        rc = health_on_sample(service_health(service), alerter_sample, alerter);
    if (rc == 0)
        rc = subscribe(alerter);
    if (rc < 0) {
        alerter_free(alerter);
        return rc;
    }
    *out = alerter;
    return 0;
}

/* The first connection tells what is retained; from then on, and after the next start, what differs
 * from that is news: hence the memory is kept even if it is empty. */
void alerter_on_link(void *self, bool up)
{
    struct alerter *alerter = self;

    if (up)
        keeper_changed(alerter->keeper);
    else
        alerter->cold = false;
}

void alerter_drain(void *self)
{
    struct alerter *alerter = self;

    for (size_t i = 0; i < alerter->settings->n_channels; i++)
        channel_stop(alerter->channels[i]);
}

bool alerter_drained(void *self)
{
    struct alerter *alerter = self;

    for (size_t i = 0; i < alerter->settings->n_channels; i++)
        if (channel_busy(alerter->channels[i]))
            return false;
    return true;
}

void alerter_close(void *self)
{
    struct alerter *alerter = self;

    keeper_save(alerter->keeper);
    alerter_free(alerter);
}

bool alerter_working(void *self, char *why, size_t size)
{
    struct alerter *alerter = self;

    if (keeper_error(alerter->keeper) == 0)
        return true;
    snprintf(why, size, "the memory cannot be saved in %s: %s", keeper_path(alerter->keeper),
             strerror(-keeper_error(alerter->keeper)));
    return false;
}
