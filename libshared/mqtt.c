#include "mqtt.h"

#include "clock.h"
#include "log.h"
#include "mqtt_client.h"
#include "mqtt_link.h"
#include "mqtt_subscriptions.h"
#include "mqtt_tickets.h"
#include "topic.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* A granted subscription that brings no echo by then is not honoured. */
#define ECHO_WAIT_MS 10000

struct mqtt {
    struct loop *loop;
    struct mqtt_options options; /* its strings are owned */
    struct mqtt_handlers handlers;
    void *self;
    struct inbox *events;
    struct mqtt_link *link; /* NULL before mqtt_start() */
    struct loop_timer *echo_timer;
    struct loop_timer *gather_timer;
    int64_t woken_ms; /* when the loop was last woken for a message */
    struct mqtt_subscriptions subscriptions;
    struct mqtt_tickets tickets;
    bool up;
    int64_t session;
    uint64_t received;
    uint64_t refused_early; /* dropped before they reached the link */
};

static void order_subscribe(struct mqtt *mqtt, const struct mqtt_subscription *subscription)
{
    struct mqtt_item *item = mqtt_item_new(MQTT_ITEM_SUBSCRIBE, subscription->filter);
    if (!item)
        return;
    item->flags = subscription->flags;
    if (mqtt_link_put(mqtt->link, item) != 0)
        mqtt_item_free(&item->item);
}

static void send_echo(struct mqtt *mqtt, const struct mqtt_subscription *subscription)
{
    static const char payload[] = "{\"echo\":true}";
    struct mqtt_message message = {.topic = subscription->echo_topic,
                                   .payload = payload,
                                   .size = sizeof payload - 1,
                                   .qos = 1,
                                   .expiry_s = ECHO_WAIT_MS / 1000};
    struct mqtt_item *item = mqtt_item_of_message(MQTT_ITEM_PUBLISH, &message);
    if (!item)
        return;
    item->echo = true;
    if (mqtt_link_put(mqtt->link, item) != 0)
        mqtt_item_free(&item->item);
}

static void send_echoes(struct mqtt *mqtt)
{
    bool any = false;
    for (size_t i = 0; i < mqtt->subscriptions.n; i++) {
        const struct mqtt_subscription *subscription = mqtt->subscriptions.each[i];
        if (!subscription->echo_topic || subscription->heard)
            continue;
        send_echo(mqtt, subscription);
        any = true;
    }
    if (any)
        loop_timer_set(mqtt->echo_timer, loop_now(mqtt->loop) + ECHO_WAIT_MS);
}

/* Tries again for as long as it takes: somebody may mend the ACL. */
static void on_echo_time(void *self)
{
    struct mqtt *mqtt = self;
    const char *user = mqtt->options.username;
    mqtt_subscriptions_judge(&mqtt->subscriptions, user ? user : "(anonymous)");
    send_echoes(mqtt);
}

static void dispatch(struct mqtt *mqtt, const struct mqtt_item *item)
{
    if (topic_is_echo(item->message.topic)) {
        mqtt_subscriptions_echo(&mqtt->subscriptions, item->message.topic);
        return;
    }
    mqtt->received++;
    mqtt_subscriptions_dispatch(&mqtt->subscriptions, &item->message);
}

static void on_up(struct mqtt *mqtt, const struct mqtt_item *item)
{
    mqtt->up = true;
    mqtt->session = item->number;
    mqtt_subscriptions_reconnected(&mqtt->subscriptions);
    send_echoes(mqtt);
    if (mqtt->handlers.on_up)
        mqtt->handlers.on_up(mqtt->self, item->flags != 0);
}

static void on_down(struct mqtt *mqtt, const char *reason)
{
    mqtt->up = false;
    loop_timer_cancel(mqtt->echo_timer);
    if (mqtt->handlers.on_down)
        mqtt->handlers.on_down(mqtt->self, reason);
}

static void on_refused(const struct mqtt_item *item)
{
    log_error("subscription_refused",
              "filter=%s reason=\"%s\" what_to_do=\"check the broker's ACL\"", item->text,
              mqtt_client_reason(item->code));
}

/* Returns whether there was something. */
static bool take_events(struct mqtt *mqtt)
{
    struct inbox_item *first = inbox_take(mqtt->events);
    for (struct inbox_item *next, *at = first; at; at = next) {
        next = at->next;
        struct mqtt_item *item = (struct mqtt_item *)at;
        if (item->kind == MQTT_ITEM_MESSAGE)
            dispatch(mqtt, item);
        else if (item->kind == MQTT_ITEM_UP)
            on_up(mqtt, item);
        else if (item->kind == MQTT_ITEM_DOWN)
            on_down(mqtt, item->text);
        else if (item->kind == MQTT_ITEM_REFUSED)
            on_refused(item);
        else if (item->kind == MQTT_ITEM_DONE)
            mqtt_tickets_tell(&mqtt->tickets, item->number, item->code);
        mqtt_item_free(at);
    }
    return first != NULL;
}

static void on_events(void *self, short revents)
{
    (void)revents;
    struct mqtt *mqtt = self;
    int64_t now_ms = loop_now(mqtt->loop);
    take_events(mqtt);
    if (now_ms - mqtt->woken_ms < mqtt->options.gather_ms) {
        loop_watch(mqtt->loop, inbox_fd(mqtt->events), 0, on_events, mqtt);
        loop_timer_set(mqtt->gather_timer, now_ms + mqtt->options.gather_ms);
    }
    mqtt->woken_ms = now_ms;
}

static void on_gather_time(void *self)
{
    struct mqtt *mqtt = self;
    if (take_events(mqtt))
        loop_timer_set(mqtt->gather_timer, loop_now(mqtt->loop) + mqtt->options.gather_ms);
    else
        loop_watch(mqtt->loop, inbox_fd(mqtt->events), POLLIN, on_events, mqtt);
}

static const char **option_strings(struct mqtt_options *options, size_t index)
{
    const char **strings[] = {&options->url,     &options->root,      &options->instance,
                              &options->version, &options->username,  &options->password,
                              &options->ca_file, &options->cert_file, &options->key_file};
    return index < sizeof strings / sizeof *strings ? strings[index] : NULL;
}

static int copy_options(struct mqtt_options *out, const struct mqtt_options *from)
{
    *out = *from;
    int error = 0;
    const char **string;
    for (size_t i = 0; (string = option_strings(out, i)); i++)
        if (*string && !(*string = strdup(*string)))
            error = -ENOMEM;
    return error;
}

static void free_options(struct mqtt_options *options)
{
    const char **string;
    for (size_t i = 0; (string = option_strings(options, i)); i++)
        free((void *)*string);
}

int mqtt_open(struct mqtt **out, struct loop *loop, const struct mqtt_options *options,
              const struct mqtt_handlers *handlers, void *self)
{
    struct mqtt *mqtt = calloc(1, sizeof *mqtt);
    if (!mqtt)
        return -ENOMEM;
    mqtt->loop = loop;
    mqtt->handlers = *handlers;
    mqtt->self = self;
    int error = copy_options(&mqtt->options, options);
    if (error == 0)
        error = inbox_open(&mqtt->events, options->inbox_bytes, mqtt_item_free);
    if (error == 0)
        error = loop_watch(loop, inbox_fd(mqtt->events), POLLIN, on_events, mqtt);
    if (error == 0)
        error = loop_timer_open(&mqtt->echo_timer, loop, on_echo_time, mqtt);
    if (error == 0)
        error = loop_timer_open(&mqtt->gather_timer, loop, on_gather_time, mqtt);
    if (error == 0)
        error = mqtt_link_open(&mqtt->link, &mqtt->options, mqtt->events);
    if (error != 0) {
        mqtt_close(mqtt, 0);
        return error;
    }
    *out = mqtt;
    return 0;
}

static int order(struct mqtt *mqtt, enum mqtt_item_kind kind, int64_t number)
{
    struct mqtt_item *item = mqtt_item_new(kind, NULL);
    if (!item)
        return -ENOMEM;
    item->number = number;
    int error = mqtt_link_put(mqtt->link, item);
    if (error != 0)
        mqtt_item_free(&item->item);
    return error;
}

int mqtt_start(struct mqtt *mqtt)
{
    return order(mqtt, MQTT_ITEM_START, 0);
}

void mqtt_close(struct mqtt *mqtt, int64_t drain_ms)
{
    if (!mqtt)
        return;
    if (mqtt->link)
        order(mqtt, MQTT_ITEM_STOP, clock_now_ms() + drain_ms);
    if (mqtt->events)
        inbox_shut(mqtt->events); /* nobody waits for room any more */
    mqtt_link_close(mqtt->link);
    loop_timer_close(mqtt->echo_timer);
    loop_timer_close(mqtt->gather_timer);
    if (mqtt->events)
        loop_unwatch(mqtt->loop, inbox_fd(mqtt->events));
    inbox_close(mqtt->events);
    mqtt_leave(mqtt);
    mqtt_tickets_forget(&mqtt->tickets, NULL);
    free_options(&mqtt->options);
    free(mqtt);
}

int mqtt_subscribe(struct mqtt *mqtt, const char *filter, unsigned flags,
                   mqtt_message_fn *on_message, void *self)
{
    struct mqtt_subscription *subscription =
        mqtt_subscriptions_add(&mqtt->subscriptions, filter, flags, on_message, self);
    if (!subscription)
        return -ENOMEM;
    order_subscribe(mqtt, subscription);
    if (mqtt->up)
        send_echoes(mqtt);
    return 0;
}

static void order_unsubscribe(struct mqtt *mqtt, const char *filter)
{
    struct mqtt_item *item = mqtt_item_new(MQTT_ITEM_UNSUBSCRIBE, filter);
    if (item && mqtt_link_put(mqtt->link, item) != 0)
        mqtt_item_free(&item->item);
}

void mqtt_unsubscribe(struct mqtt *mqtt, const void *self)
{
    struct mqtt_subscriptions *subscriptions = &mqtt->subscriptions;
    for (size_t i = subscriptions->n; i-- > 0;) {
        const struct mqtt_subscription *subscription = subscriptions->each[i];
        if (subscription->self != self)
            continue;
        if (mqtt_subscriptions_count(subscriptions, subscription->filter) == 1)
            order_unsubscribe(mqtt, subscription->filter);
        mqtt_subscriptions_remove(subscriptions, i);
    }
}

void mqtt_leave(struct mqtt *mqtt)
{
    mqtt_subscriptions_clear(&mqtt->subscriptions);
}

void mqtt_unsubscribe_all(struct mqtt *mqtt)
{
    mqtt_leave(mqtt);
    order(mqtt, MQTT_ITEM_UNSUBSCRIBE_ALL, 0);
}

/* `ticket` is 0 where nobody waits. */
static int publish(struct mqtt *mqtt, const struct mqtt_message *message, int64_t ticket)
{
    if (message->topic[0] == '\0' || strpbrk(message->topic, "+#"))
        return -EINVAL;
    struct mqtt_item *item = mqtt_item_of_message(MQTT_ITEM_PUBLISH, message);
    if (item)
        item->number = ticket;
    int error = item ? mqtt_link_put(mqtt->link, item) : -ENOMEM;
    if (error != 0) {
        mqtt->refused_early++;
        free(item);
    }
    return error;
}

int mqtt_publish(struct mqtt *mqtt, const struct mqtt_message *message)
{
    return publish(mqtt, message, 0);
}

int mqtt_publish_told(struct mqtt *mqtt, const struct mqtt_message *message, mqtt_done_fn *on_done,
                      void *self)
{
    int64_t ticket = mqtt_tickets_add(&mqtt->tickets, on_done, self);
    int error = ticket < 0 ? (int)ticket : publish(mqtt, message, ticket);
    if (error != 0 && ticket > 0)
        mqtt_tickets_drop(&mqtt->tickets, ticket);
    return error;
}

void mqtt_forget(struct mqtt *mqtt, const void *self)
{
    mqtt_tickets_forget(&mqtt->tickets, self);
}

int mqtt_publish_text(struct mqtt *mqtt, const char *topic, const char *text, bool retained)
{
    struct mqtt_message message = {
        .topic = topic, .payload = text, .size = strlen(text), .qos = 1, .retained = retained};
    return mqtt_publish(mqtt, &message);
}

bool mqtt_is_up(const struct mqtt *mqtt)
{
    return mqtt->up;
}

bool mqtt_is_heard(const struct mqtt *mqtt)
{
    return mqtt->up && mqtt_subscriptions_heard(&mqtt->subscriptions);
}

bool mqtt_is_idle(const struct mqtt *mqtt)
{
    return atomic_load(&mqtt_link_counts(mqtt->link)->outstanding_bytes) == 0;
}

struct loop *mqtt_loop(const struct mqtt *mqtt)
{
    return mqtt->loop;
}

const char *mqtt_root(const struct mqtt *mqtt)
{
    return mqtt->options.root;
}

const char *mqtt_instance(const struct mqtt *mqtt)
{
    return mqtt->options.instance;
}

int64_t mqtt_session(const struct mqtt *mqtt)
{
    return mqtt->session;
}

struct mqtt_stats mqtt_stats(const struct mqtt *mqtt)
{
    const struct mqtt_link_counts *counts = mqtt_link_counts(mqtt->link);
    struct mqtt_stats stats = {
        .received = mqtt->received,
        .published = atomic_load(&counts->published),
        .dropped = atomic_load(&counts->dropped) + mqtt->refused_early,
        .refused = atomic_load(&counts->refused),
        .connects = atomic_load(&counts->connects),
        .failures = atomic_load(&counts->failures),
        .silent_subscriptions = mqtt_subscriptions_silent(&mqtt->subscriptions),
        .queued_bytes = atomic_load(&counts->outstanding_bytes),
    };
    return stats;
}
