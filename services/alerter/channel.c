#include "channel.h"

#include "backoff.h"
#include "carrier.h"
#include "channel_text.h"
#include "clock.h"
#include "draw.h"
#include "log.h"
#include "notification_json.h"
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX 8000       /* bytes of a text that are logged */
#define QUOTA_EXCEEDED 151 /* MQTT 5, section 3.4.2.1: later the broker may take it */

struct channel {
    const struct channel_settings *settings;
    struct loop *loop;
    const struct channel_handlers *handlers;
    void *self;
    struct notification *first; /* the one in flight, where one is */
    struct notification **end;
    size_t depth;
    struct mqtt *mqtt;
    struct worker *worker; /* NULL for the log and MQTT */
    struct loop_timer *retry;
    struct backoff backoff;
    struct breaker breaker;
    int64_t next_ms; /* no attempt before */
    bool busy;
    bool stopped;
};

/* Takes out the notification `*at` points to and ends it. */
static void channel_end(struct channel *channel, struct notification **at,
                        enum channel_outcome outcome)
{
    struct notification *ended = *at;

    *at = ended->next;
    if (!*at)
        channel->end = at;
    channel->depth--;
    channel->handlers->on_end(channel->self, channel, ended, outcome);
    notification_close(ended);
}

/* One line; the text is written as JSON writes it, so that no message can make two of it. */
static void write_log(const struct channel *channel, const struct notification *notification)
{
    struct buffer text = {0}, quoted = {0};
    struct jsonw w = jsonw_start(&quoted);
    enum log_level level = LOG_LEVEL_WARNING;

    if (!notification_calls(notification) || notification->severity == ALERT_INFO)
        level = LOG_LEVEL_INFO;
    else if (notification->severity == ALERT_CRITICAL)
        level = LOG_LEVEL_ERROR;
    channel_text(channel->settings, notification, ESCAPE_NONE, LOG_MAX, &text);
    jsonw_text(&w, NULL, buffer_string(&text));
    log_write(level, "notification", "id=%s text=%s", notification->id, buffer_string(&quoted));
    buffer_free(&text);
    buffer_free(&quoted);
}

static bool channel_may_try(struct channel *channel, int64_t now_ms)
{
    if (now_ms < channel->next_ms) {
        loop_timer_set(channel->retry, channel->next_ms);
        return false;
    }
    if (!breaker_allow(&channel->breaker, now_ms)) {
        loop_timer_set(channel->retry, breaker_ready_ms(&channel->breaker, now_ms));
        return false;
    }
    return true;
}

static mqtt_done_fn channel_on_acknowledged;

/* How long the first may still be tried. */
static int64_t channel_patience_ms(const struct channel *channel)
{
    int64_t left_ms =
        channel->first->created_ms + channel->settings->give_up_after_ms - clock_time_ms();

    return left_ms > 0 ? left_ms : 0;
}

/* Hands it to the worker. Returns 0 or -ENOMEM. */
static int channel_post(struct channel *channel)
{
    struct parcel parcel = {0};
    int rc =
        carrier_kind(channel->settings->type)->pack(channel->settings, channel->first, &parcel);

    if (rc == 0)
        rc = worker_send(channel->worker, &parcel);
    parcel_free(&parcel);
    return rc;
}

/* Delivered is what the broker acknowledged, which it tells later; over reconnects until then the
 * connection sends it again. Returns 0 or -errno. */
static int channel_publish(struct channel *channel)
{
    const struct channel_settings *settings = channel->settings;
    struct buffer body = {0};
    int rc = mqtt_is_up(channel->mqtt) ? notification_body(channel->first, &body) : -ENOTCONN;
    const struct mqtt_message message = {.topic = settings->topic,
                                         .payload = buffer_string(&body),
                                         .size = body.size,
                                         .qos = 1,
                                         .retained = settings->retain};

    if (rc == 0)
        rc = mqtt_publish_told(channel->mqtt, &message, channel_on_acknowledged, channel);
    if (rc == 0)
        loop_timer_set(channel->retry, loop_now(channel->loop) + channel_patience_ms(channel));
    buffer_free(&body);
    return rc;
}

static void channel_failed(struct channel *channel, const struct carrier_result *result)
{
    struct notification *tried = channel->first;
    int64_t now_ms = loop_now(channel->loop);

    snprintf(tried->error, sizeof tried->error, "%s", result->error);
    breaker_failure(&channel->breaker, now_ms);
    channel->next_ms = now_ms + backoff_next(&channel->backoff, draw(), result->retry_after_ms);
    if (channel_patience_ms(channel) == 0)
        channel_end(channel, &channel->first, CHANNEL_FAILED);
    else
        channel->handlers->on_retry(channel->self, channel, tried);
}

static enum channel_outcome outcome_of(const struct carrier_result *result)
{
    if (result->verdict != CARRIER_DELIVERED)
        return CHANNEL_FAILED;
    return *result->error ? CHANNEL_IN_PART : CHANNEL_DELIVERED;
}

static void channel_take(struct channel *channel, const struct carrier_result *result)
{
    channel->busy = false;
    if (result->verdict == CARRIER_RETRY) {
        channel_failed(channel, result);
        return;
    }
    /* A refusal is an answer too: the receiver is there. */
    breaker_success(&channel->breaker);
    backoff_reset(&channel->backoff);
    channel->next_ms = 0;
    if (*result->error)
        snprintf(channel->first->error, sizeof channel->first->error, "%s", result->error);
    channel_end(channel, &channel->first, outcome_of(result));
}

/* One attempt with the first that waits; what takes time, the worker tells later. */
static void channel_try(struct channel *channel)
{
    struct carrier_result result = {.verdict = CARRIER_DELIVERED};
    int rc = 0;

    channel->first->attempts++;
    channel->busy = true;
    if (channel->settings->type == CHANNEL_LOG)
        write_log(channel, channel->first);
    else
        rc = channel->worker ? channel_post(channel) : channel_publish(channel);
    if (rc == 0 && channel->settings->type != CHANNEL_LOG)
        return;
    if (rc < 0) {
        result.verdict = CARRIER_RETRY;
        snprintf(result.error, sizeof result.error, "%s",
                 rc == -ENOTCONN ? "the broker is away" : strerror(-rc));
    }
    channel_take(channel, &result);
}

static void channel_pump(void *self)
{
    struct channel *channel = self;

    while (channel->first && !channel->busy && !channel->stopped) {
        if (!channel_may_try(channel, loop_now(channel->loop)))
            return;
        channel_try(channel);
    }
}

static void channel_on_result(void *self, const struct carrier_result *result)
{
    struct channel *channel = self;

    channel_take(channel, result);
    channel_pump(channel);
}

static void channel_on_acknowledged(void *self, int outcome)
{
    struct channel *channel = self;
    struct carrier_result result = {.verdict = CARRIER_DELIVERED};

    loop_timer_cancel(channel->retry);
    if (outcome > 0) {
        result.verdict = outcome == QUOTA_EXCEEDED ? CARRIER_RETRY : CARRIER_REFUSED;
        snprintf(result.error, sizeof result.error,
                 "the broker refused it with reason code %d: may this user write to %s?", outcome,
                 channel->settings->topic);
    } else if (outcome < 0) {
        result.verdict = CARRIER_RETRY;
        snprintf(result.error, sizeof result.error, "no room for it until the broker came back");
    }
    channel_on_result(channel, &result);
}

/* The next attempt is due; or the broker has not acknowledged for so long that it is given up. */
static void channel_on_time(void *self)
{
    struct channel *channel = self;
    const struct carrier_result unanswered = {.verdict = CARRIER_RETRY,
                                              .error = "the broker did not acknowledge it"};

    if (!channel->busy) {
        channel_pump(channel);
    } else if (channel_patience_ms(channel) > 0) { /* the wall clock was set back */
        loop_timer_set(channel->retry, loop_now(channel->loop) + channel_patience_ms(channel));
    } else {
        mqtt_forget(channel->mqtt, channel);
        channel_on_result(channel, &unanswered);
    }
}

int channel_open(struct channel **out, struct mqtt *mqtt, const struct channel_settings *settings,
                 const struct channel_handlers *handlers, void *self)
{
    struct channel *channel = calloc(1, sizeof *channel);
    int rc;

    if (!channel)
        return -ENOMEM;
    channel->settings = settings;
    channel->mqtt = mqtt;
    channel->loop = mqtt_loop(mqtt);
    channel->handlers = handlers;
    channel->self = self;
    channel->end = &channel->first;
    channel->backoff.first_ms = settings->backoff_first_ms;
    channel->backoff.max_ms = settings->backoff_max_ms;
    breaker_init(&channel->breaker,
                 settings->type == CHANNEL_LOG ? 1 : (unsigned)settings->breaker_failures,
                 settings->breaker_open_ms);
    rc = loop_timer_open(&channel->retry, channel->loop, channel_on_time, channel);
    if (rc == 0 && carrier_kind(settings->type))
        rc = worker_open(&channel->worker, channel->loop, settings, channel_on_result, channel);
    if (rc < 0) {
        channel_close(channel);
        return rc;
    }
    *out = channel;
    return 0;
}

void channel_close(struct channel *channel)
{
    if (!channel)
        return;
    mqtt_forget(channel->mqtt, channel);
    worker_close(channel->worker);
    loop_timer_close(channel->retry);
    while (channel->first) {
        struct notification *next = channel->first->next;

        notification_close(channel->first);
        channel->first = next;
    }
    free(channel);
}

/* Drops the oldest that is not in flight. */
static void channel_make_room(struct channel *channel)
{
    if (channel->settings->type == CHANNEL_LOG || channel->depth < (size_t)channel->settings->queue)
        return;
    if (!channel->busy)
        channel_end(channel, &channel->first, CHANNEL_DROPPED);
    else if (channel->first->next)
        channel_end(channel, &channel->first->next, CHANNEL_DROPPED);
}

void channel_offer(struct channel *channel, struct notification *notification)
{
    channel_make_room(channel);
    notification->zone = channel->settings->zone;
    notification->root = channel->settings->root;
    notification->next = NULL;
    *channel->end = notification;
    channel->end = &notification->next;
    channel->depth++;
    channel_pump(channel);
}

void channel_stop(struct channel *channel)
{
    channel->stopped = true;
    loop_timer_cancel(channel->retry);
}

bool channel_busy(const struct channel *channel)
{
    return channel->busy && (channel->worker || mqtt_is_up(channel->mqtt));
}

const struct channel_settings *channel_settings(const struct channel *channel)
{
    return channel->settings;
}

const struct notification *channel_waiting(const struct channel *channel)
{
    return channel->first;
}

size_t channel_depth(const struct channel *channel)
{
    return channel->depth;
}

enum breaker_state channel_breaker(const struct channel *channel)
{
    return channel->breaker.state;
}
