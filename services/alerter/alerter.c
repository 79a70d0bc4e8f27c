#include "alerter.h"

#include "channel.h"
#include "clock.h"
#include "core.h"
#include "core_health.h"
#include "dead_letter.h"
#include "hear.h"
#include "keeper.h"
#include "log.h"
#include "notification_json.h"
#include "settings.h"
#include "zone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTER_SIZE 128
#define LOG_EVERY_MS 10000  /* what others can provoke without end */
#define LOOK_EVERY_MS 60000 /* at the clock, which may be set */

struct alerter {
    const struct settings *settings;
    struct service *service;
    struct mqtt *mqtt;
    struct core *core;
    struct channel *channels[ROUTE_CHANNELS_MAX];
    struct keeper *keeper;
    struct loop_timer *timer;
    struct core_stats told; /* in health */
    bool cold;              /* nothing is remembered: what is retained is no news */
    struct log_limit bad_limit;
    struct log_limit lost_limit;
    health_counter *bad;
    health_counter *idle;
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

/* Returns whether another channel takes it. */
static bool alerter_fall_back(struct alerter *alerter, const struct channel *channel,
                              const struct notification *ended, const char *reason)
{
    int fallback = channel_settings(channel)->fallback;
    struct notification *copy;

    if (fallback < 0 || notification_copy(&copy, ended) < 0)
        return false;
    copy->attempts = 0;
    copy->error[0] = '\0';
    alerter_count(alerter, "fell_back", channel);
    health_set_error(service_health(alerter->service), clock_time_ms(), reason);
    if (log_allowed(&alerter->lost_limit, loop_now(service_loop(alerter->service))))
        log_warning("notification_fell_back", "channel=%s to=%s id=%s reason=\"%s\"",
                    channel_settings(channel)->name,
                    channel_settings(alerter->channels[fallback])->name, ended->id, reason);
    channel_offer(alerter->channels[fallback], copy);
    return true;
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
    if (outcome != CHANNEL_DELIVERED) {
        const char *reason = outcome == CHANNEL_DROPPED ? "queue full" : ended->error;

        if (!alerter_fall_back(alerter, channel, ended, reason))
            alerter_lost(alerter, channel, ended, reason);
    }
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

/* ---- in ---- */

static void alerter_on_notification(void *self, size_t channel, struct notification *notification)
{
    struct alerter *alerter = self;

    keeper_send(alerter->keeper, channel, notification);
}

/* Wakes up for what is next, and now and then: the wall clock is not the loop's. */
static void alerter_plan(struct alerter *alerter)
{
    int64_t wait_ms = core_next_ms(alerter->core) - clock_time_ms();

    if (wait_ms > LOOK_EVERY_MS)
        wait_ms = LOOK_EVERY_MS;
    loop_timer_set(alerter->timer,
                   loop_now(service_loop(alerter->service)) + (wait_ms > 0 ? wait_ms : 0));
}

static void alerter_on_time(void *self)
{
    struct alerter *alerter = self;

    if (core_next_ms(alerter->core) <= clock_time_ms())
        keeper_changed(alerter->keeper);
    core_tick(alerter->core, clock_time_ms());
    alerter_plan(alerter);
}

static void alerter_refuse(struct alerter *alerter, const struct mqtt_message *message,
                           const char *reason, const char *detail)
{
    health_raise(alerter->bad, 1);
    if (log_allowed(&alerter->bad_limit, loop_now(service_loop(alerter->service))))
        log_warning("message_refused", "topic=%s suppressed=%" PRIu64 " reason=\"%s\"",
                    message->topic, alerter->bad_limit.suppressed, detail);
    (void)dead_letter_publish(alerter->mqtt, "alerter", message, reason, detail);
}

static void alerter_hear(struct alerter *alerter, const struct mqtt_message *message,
                         const struct topic *topic)
{
    static const char *const words[TOPIC_N_KINDS] = {
        [TOPIC_ALERT] = "bad_alert", [TOPIC_ACK] = "bad_ack", [TOPIC_SILENCE] = "bad_silence"};
    const struct hear_message heard = {.topic = *topic,
                                       .payload = message->payload,
                                       .size = message->size,
                                       .retained = message->retained,
                                       .known = alerter->cold};
    int64_t time_ms = clock_time_ms();
    char error[HEAR_ERROR_SIZE];
    int rc;

    core_tick(alerter->core, time_ms);
    rc = hear(alerter->core, &heard, time_ms, error);
    if (rc == -ENOENT)
        health_raise(alerter->idle, 1);
    else if (rc == -ENOMEM)
        health_raise(alerter->lost, 1);
    else if (rc < 0)
        alerter_refuse(alerter, message, words[topic->kind], error);
    keeper_changed(alerter->keeper);
    alerter_plan(alerter);
}

static void alerter_on_message(void *self, const struct mqtt_message *message)
{
    struct alerter *alerter = self;
    struct topic topic;

    if (topic_parse(&topic, service_root(alerter->service), message->topic) < 0)
        alerter_refuse(alerter, message, "bad_topic",
                       "the topic's names are not of a-z, 0-9, _ and -");
    else
        alerter_hear(alerter, message, &topic);
}

/* ---- health ---- */

static void alerter_sample(void *self, struct health *health)
{
    struct alerter *alerter = self;
    char name[COUNTER_SIZE];

    core_health_sample(alerter->core, clock_time_ms(), &alerter->told, health);
    for (size_t i = 0; i < alerter->settings->n_channels; i++) {
        const struct channel *channel = alerter->channels[i];

        snprintf(name, sizeof name, "queue.%s", channel_settings(channel)->name);
        health_set(health, name, (double)channel_depth(channel));
        if (channel_settings(channel)->type != CHANNEL_LOG)
            health_set_breaker(health, channel_settings(channel)->name, channel_breaker(channel));
    }
}

/* ---- start and end ---- */

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

static int open_core(struct alerter *alerter)
{
    static const struct core_handlers handlers = {alerter_on_notification};

    core_close(alerter->core);
    alerter->core = NULL;
    return core_open(&alerter->core, alerter->settings, &handlers, alerter);
}

static int open_keeper(struct alerter *alerter)
{
    const struct keeper_parts parts = {.loop = service_loop(alerter->service),
                                       .core = alerter->core,
                                       .channels = alerter->channels,
                                       .n_channels = alerter->settings->n_channels};

    keeper_close(alerter->keeper);
    alerter->keeper = NULL;
    return keeper_open(&alerter->keeper, &parts, service_state_dir(alerter->service));
}

/* Where the memory turns out bad half-way, it begins with none. */
static int open_memory(struct alerter *alerter)
{
    int rc = open_core(alerter);

    if (rc == 0)
        rc = open_keeper(alerter);
    if (rc == 0)
        rc = keeper_load(alerter->keeper, alerter_on_pending, alerter);
    alerter->cold = rc <= 0;
    if (rc != -EBADMSG)
        return rc < 0 ? rc : 0;
    rc = open_core(alerter);
    return rc == 0 ? open_keeper(alerter) : rc;
}

static int open_channels(struct alerter *alerter)
{
    static const struct channel_handlers handlers = {alerter_on_end, alerter_on_retry};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < alerter->settings->n_channels; i++)
        rc = channel_open(&alerter->channels[i], alerter->mqtt, &alerter->settings->channels[i],
                          &handlers, alerter);
    return rc;
}

static int subscribe(struct alerter *alerter)
{
    static const struct {
        enum topic_kind kind;
        const char *location, *device;
    } kinds[] = {{TOPIC_SILENCE, NULL, NULL}, {TOPIC_ALERT, "+", "+"}, {TOPIC_ACK, "+", "+"}};
    char filter[TOPIC_SIZE];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof kinds / sizeof *kinds; i++) {
        rc = topic_make(filter, service_root(alerter->service), kinds[i].kind, kinds[i].location,
                        kinds[i].device, "+");
        if (rc == 0)
            rc = mqtt_subscribe(alerter->mqtt, filter, 0, alerter_on_message, alerter);
    }
    return rc;
}

static void alerter_free(struct alerter *alerter)
{
    health_off_sample(service_health(alerter->service), alerter);
    loop_timer_close(alerter->timer);
    keeper_close(alerter->keeper);
    for (size_t i = 0; i < ROUTE_CHANNELS_MAX; i++)
        channel_close(alerter->channels[i]);
    core_close(alerter->core);
    free(alerter);
}

static int alerter_open(struct alerter *alerter)
{
    struct health *health = service_health(alerter->service);
    int rc = zone_use(alerter->settings->zone);

    alerter->bad = health_count(health, "refused.bad_message");
    alerter->idle = health_count(health, "refused.ack_of_no_alert");
    alerter->lost = health_count(health, "dropped.other");
    if (rc == 0)
        rc = loop_timer_open(&alerter->timer, service_loop(alerter->service), alerter_on_time,
                             alerter);
    if (rc == 0)
        rc = open_channels(alerter);
    if (rc == 0)
        rc = open_memory(alerter);
    if (rc == 0)
        rc = health_on_sample(health, alerter_sample, alerter);
    if (rc == 0)
        rc = subscribe(alerter);
    return rc;
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
    rc = alerter_open(alerter);
    if (rc < 0) {
        alerter_free(alerter);
        return rc;
    }
    alerter_plan(alerter);
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
