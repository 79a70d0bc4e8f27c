#include "channel.h"

#include "backoff.h"
#include "clock.h"
#include "draw.h"
#include "log.h"
#include "notification_json.h"
#include "notification_text.h"
#include "webhook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct channel {
    const struct channel_settings *settings;
    struct loop *loop;
    const struct channel_handlers *handlers;
    void *self;
    struct notification *first; /* the one in flight, where one is */
    struct notification **end;
    size_t depth;
    struct webhook *webhook; /* NULL for the log */
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
static void write_log(const struct notification *notification)
{
    struct buffer text = {0}, quoted = {0};
    struct jsonw w = jsonw_start(&quoted);
    enum log_level level = LOG_LEVEL_WARNING;

    if (notification_state(notification) == ITEM_RESOLVED || notification->severity == ALERT_INFO)
        level = LOG_LEVEL_INFO;
    else if (notification->severity == ALERT_CRITICAL)
        level = LOG_LEVEL_ERROR;
    notification_text(notification, &text);
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

static void channel_post(struct channel *channel)
{
    struct notification *notification = channel->first;
    struct buffer body = {0};

    notification->attempts++;
    channel->busy = true;
    if (notification_body(notification, &body) < 0 || webhook_send(channel->webhook, &body) < 0) {
        channel->busy = false;
        breaker_failure(&channel->breaker, loop_now(channel->loop));
        channel->next_ms = loop_now(channel->loop) + channel->backoff.max_ms;
        loop_timer_set(channel->retry, channel->next_ms);
    }
    buffer_free(&body);
}

static void channel_pump(void *self)
{
    struct channel *channel = self;

    while (channel->first && !channel->busy && !channel->stopped) {
        if (!channel->webhook) {
            channel->first->attempts++;
            write_log(channel->first);
            channel_end(channel, &channel->first, CHANNEL_DELIVERED);
            continue;
        }
        if (!channel_may_try(channel, loop_now(channel->loop)))
            return;
        channel_post(channel);
    }
}

static void channel_failed(struct channel *channel, const struct webhook_result *result)
{
    struct notification *tried = channel->first;
    int64_t now_ms = loop_now(channel->loop);
    int64_t age_ms = clock_time_ms() - tried->created_ms;

    snprintf(tried->error, sizeof tried->error, "%s", result->error);
    breaker_failure(&channel->breaker, now_ms);
    channel->next_ms = now_ms + backoff_next(&channel->backoff, draw(), result->retry_after_ms);
    if (age_ms >= channel->settings->give_up_after_ms)
        channel_end(channel, &channel->first, CHANNEL_FAILED);
    else
        channel->handlers->on_retry(channel->self, channel, tried);
}

static void channel_on_result(void *self, const struct webhook_result *result)
{
    struct channel *channel = self;

    channel->busy = false;
    if (result->verdict == WEBHOOK_RETRY) {
        channel_failed(channel, result);
    } else {
        /* A refusal is an answer too: the receiver is there. */
        breaker_success(&channel->breaker);
        backoff_reset(&channel->backoff);
        channel->next_ms = 0;
        if (result->verdict == WEBHOOK_REFUSED)
            snprintf(channel->first->error, sizeof channel->first->error, "%s", result->error);
        channel_end(channel, &channel->first,
                    result->verdict == WEBHOOK_DELIVERED ? CHANNEL_DELIVERED : CHANNEL_FAILED);
    }
    channel_pump(channel);
}

int channel_open(struct channel **out, struct loop *loop, const struct channel_settings *settings,
                 const struct channel_handlers *handlers, void *self)
{
    struct channel *channel = calloc(1, sizeof *channel);
    int rc;

    if (!channel)
        return -ENOMEM;
    channel->settings = settings;
    channel->loop = loop;
    channel->handlers = handlers;
    channel->self = self;
    channel->end = &channel->first;
    channel->backoff.first_ms = settings->backoff_first_ms;
    channel->backoff.max_ms = settings->backoff_max_ms;
    breaker_init(&channel->breaker,
                 settings->type == CHANNEL_LOG ? 1 : (unsigned)settings->breaker_failures,
                 settings->breaker_open_ms);
    rc = loop_timer_open(&channel->retry, loop, channel_pump, channel);
    if (rc == 0 && settings->type == CHANNEL_WEBHOOK)
        rc = webhook_open(&channel->webhook, loop, &settings->webhook, channel_on_result, channel);
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
    webhook_close(channel->webhook);
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
    if (!channel->webhook || channel->depth < (size_t)channel->settings->queue)
        return;
    if (!channel->busy)
        channel_end(channel, &channel->first, CHANNEL_DROPPED);
    else if (channel->first->next)
        channel_end(channel, &channel->first->next, CHANNEL_DROPPED);
}

void channel_offer(struct channel *channel, struct notification *notification)
{
    channel_make_room(channel);
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
    return channel->busy;
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
