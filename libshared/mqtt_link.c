#include "mqtt_link.h"

#include "backoff.h"
#include "clock.h"
#include "draw.h"
#include "jsonw.h"
#include "log.h"
#include "mqtt_client.h"
#include "mqtt_outbox.h"
#include "topic.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* While the library blocks in a connect nothing is taken from the orders; room enough there leaves
 * it to bound_outbox() to drop the oldest, where a full inbox would refuse the newest. */
#define ORDERS_FACTOR 4

#define IMPOSSIBLE 144 /* topic name invalid: MQTT 5, section 3.4.2.1 */

struct mqtt_link {
    const struct mqtt_options *options;
    struct inbox *orders;
    struct inbox *events;
    struct mqtt_client *client;
    pthread_t thread;
    struct mqtt_link_counts counts;

    /* the thread's alone from here */
    struct mqtt_outbox outbox;
    struct inbox_item *filters; /* MQTT_ITEM_SUBSCRIBE, repeated on every connect */
    bool up;
    bool stopping;
    int64_t stop_ms;
    int64_t connect_ms; /* when to try next; INT64_MAX until MQTT_ITEM_START */
    int64_t session;    /* number of the connection, its wall-clock time in ms: rises for ever */
    struct backoff backoff;
    char last_failure[256];
    struct log_limit refusals;
};

static struct mqtt_item *as_item(struct inbox_item *item)
{
    return (struct mqtt_item *)item;
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void tell(struct mqtt_link *link, struct mqtt_item *item)
{
    if (item && inbox_force(link->events, &item->item) != 0)
        mqtt_item_free(&item->item);
}

/* Ends an item that was taken to be published: with a ticket, it becomes the word of its end. */
static void finish(struct mqtt_link *link, struct mqtt_item *item, _Atomic uint64_t *counter,
                   int outcome)
{
    if (!item->echo)
        count(counter);
    atomic_fetch_sub_explicit(&link->counts.outstanding_bytes, item->item.size,
                              memory_order_release);
    if (item->number == 0) {
        mqtt_item_free(&item->item);
        return;
    }
    item->kind = MQTT_ITEM_DONE;
    item->code = outcome;
    tell(link, item);
}

static void schedule_connect(struct mqtt_link *link, int64_t now_ms)
{
    link->connect_ms = now_ms + backoff_next(&link->backoff, draw(), 0);
}

static void go_down(struct mqtt_link *link, const char *reason)
{
    if (!link->up)
        return;
    link->up = false;
    mqtt_outbox_unwind(&link->outbox);
    schedule_connect(link, clock_now_ms());
    log_warning("link_down", "url=%s reason=\"%s\"", link->options->url, reason);
    tell(link, mqtt_item_new(MQTT_ITEM_DOWN, reason));
}

static void write_status(const struct mqtt_link *link, struct buffer *out, bool online)
{
    struct jsonw writer = jsonw_start(out);
    jsonw_object_begin(&writer, NULL);
    jsonw_text(&writer, "state", online ? "online" : "offline");
    jsonw_integer(&writer, "session", link->session);
    jsonw_text(&writer, "version", link->options->version);
    jsonw_integer(&writer, "since", clock_time_ms());
    jsonw_object_end(&writer);
}

/* The birth, the will and the farewell differ in `online` and in the time only. */
static struct mqtt_item *status_item(const struct mqtt_link *link, bool online)
{
    char topic[TOPIC_SIZE];
    struct buffer text = {0};
    struct mqtt_item *item = NULL;
    write_status(link, &text, online);
    if (!text.failed && topic_make(topic, link->options->root, TOPIC_SERVICE_STATUS, NULL, NULL,
                                   link->options->instance) == 0) {
        struct mqtt_message message = {
            .topic = topic, .payload = text.data, .size = text.size, .qos = 1, .retained = true};
        item = mqtt_item_of_message(MQTT_ITEM_PUBLISH, &message);
    }
    buffer_free(&text);
    return item;
}

static void publish_first(struct mqtt_link *link, struct mqtt_item *item)
{
    if (!item)
        return;
    atomic_fetch_add(&link->counts.outstanding_bytes, item->item.size);
    mqtt_outbox_prepend(&link->outbox, item);
}

static void subscribe(struct mqtt_link *link, const struct mqtt_item *filter)
{
    int code = mqtt_client_subscribe(link->client, filter->text, filter->flags);
    if (code <= 0)
        return; /* a connection that went away tells so itself */
    struct mqtt_item *event = mqtt_item_new(MQTT_ITEM_REFUSED, filter->text);
    if (event)
        event->code = code;
    tell(link, event);
}

/* One line when the reason changes, not one an attempt. */
static void note_failure(struct mqtt_link *link, const char *error)
{
    count(&link->counts.failures);
    schedule_connect(link, clock_now_ms());
    if (strcmp(error, link->last_failure) == 0)
        return;
    snprintf(link->last_failure, sizeof link->last_failure, "%s", error);
    log_warning("connect_failed",
                "url=%s reason=\"%s\" what_to_do=\"is the broker there, are "
                "mqtt.username and mqtt.password_file right? trying on\"",
                link->options->url, error);
    tell(link, mqtt_item_new(MQTT_ITEM_DOWN, error));
}

static void connect_now(struct mqtt_link *link)
{
    link->session = clock_time_ms();
    struct mqtt_item *will = status_item(link, false);
    struct mqtt_client_session answer;
    char error[256] = "out of memory";
    int code = will
                   ? mqtt_client_connect(link->client, &will->message, &answer, error, sizeof error)
                   : -ENOMEM;
    if (will)
        mqtt_item_free(&will->item);
    if (code != 0) {
        note_failure(link, error);
        return;
    }
    link->up = true;
    link->last_failure[0] = '\0';
    link->outbox.window_max =
        answer.receive_maximum < MQTT_OUTBOX_WINDOW ? answer.receive_maximum : MQTT_OUTBOX_WINDOW;
    backoff_reset(&link->backoff);
    count(&link->counts.connects);
    log_info("link_up", "url=%s session=%lld", link->options->url, (long long)link->session);
    for (struct inbox_item *filter = link->filters; filter; filter = filter->next)
        subscribe(link, as_item(filter));
    publish_first(link, status_item(link, true));
    struct mqtt_item *event = mqtt_item_new(MQTT_ITEM_UP, NULL);
    if (event) {
        event->number = link->session;
        event->flags = answer.present;
    }
    tell(link, event);
}

/* Readings of an hour ago matter less than those of now: the oldest goes. */
static void bound_outbox(struct mqtt_link *link)
{
    while (atomic_load(&link->counts.outstanding_bytes) > link->options->outbox_bytes) {
        struct mqtt_item *oldest = mqtt_outbox_oldest(&link->outbox);
        if (!oldest)
            return;
        finish(link, oldest, &link->counts.dropped, -ENOSPC);
    }
}

static void send_one(struct mqtt_link *link, struct mqtt_item *item)
{
    int code = mqtt_client_publish(link->client, item, &item->token);
    if (code == -ENOTCONN) {
        mqtt_outbox_prepend(&link->outbox, item);
        go_down(link, "publish failed");
    } else if (code != 0) {
        log_error("publish_impossible", "topic=%s", item->message.topic);
        finish(link, item, &link->counts.dropped, IMPOSSIBLE);
    } else if (item->token < 0) {
        finish(link, item, &link->counts.published, 0);
    } else {
        mqtt_outbox_sent(&link->outbox, item);
    }
}

static void send_waiting(struct mqtt_link *link)
{
    struct mqtt_item *item;
    while (link->up && (item = mqtt_outbox_next(&link->outbox)))
        send_one(link, item);
}

static void on_acked(struct mqtt_link *link, int token, int code)
{
    struct mqtt_item *item = mqtt_outbox_acked(&link->outbox, token);
    if (!item)
        return; /* of an earlier connection: sent again since */
    if (code < 128) {
        finish(link, item, &link->counts.published, 0);
        return;
    }
    count(&link->counts.refused);
    if (log_allowed(&link->refusals, clock_now_ms()))
        log_error("publish_refused",
                  "topic=%s reason=\"%s\" what_to_do=\"check the broker's ACL for "
                  "user %s\"",
                  item->message.topic, mqtt_client_reason(code),
                  link->options->username ? link->options->username : "(anonymous)");
    finish(link, item, &link->counts.dropped, code);
}

static void on_stop(struct mqtt_link *link, int64_t stop_ms)
{
    link->stopping = true;
    link->stop_ms = stop_ms;
    struct mqtt_item *farewell = link->up ? status_item(link, false) : NULL;
    if (!farewell)
        return;
    atomic_fetch_add(&link->counts.outstanding_bytes, farewell->item.size);
    mqtt_outbox_append(&link->outbox, farewell); /* after all that was published before */
}

/* NULL: all. */
static void unsubscribe(struct mqtt_link *link, const char *filter)
{
    for (struct inbox_item **at = &link->filters; *at;) {
        struct inbox_item *item = *at;
        if (filter && strcmp(as_item(item)->text, filter) != 0) {
            at = &item->next;
            continue;
        }
        *at = item->next;
        if (link->up)
            mqtt_client_unsubscribe(link->client, as_item(item)->text);
        mqtt_item_free(item);
    }
}

static void add_filter(struct mqtt_link *link, struct mqtt_item *filter)
{
    filter->item.next = link->filters;
    link->filters = &filter->item;
    if (link->up)
        subscribe(link, filter);
}

/* Takes ownership. */
static void handle(struct mqtt_link *link, struct mqtt_item *item)
{
    switch (item->kind) {
    case MQTT_ITEM_PUBLISH:
        mqtt_outbox_append(&link->outbox, item);
        bound_outbox(link);
        return;
    case MQTT_ITEM_SUBSCRIBE:
        add_filter(link, item);
        return;
    case MQTT_ITEM_UNSUBSCRIBE:
        unsubscribe(link, item->text);
        break;
    case MQTT_ITEM_UNSUBSCRIBE_ALL:
        unsubscribe(link, NULL);
        break;
    case MQTT_ITEM_ACKED:
        on_acked(link, item->token, item->code);
        break;
    case MQTT_ITEM_LOST: /* may come late, after the next connect */
        if (!mqtt_client_is_connected(link->client))
            go_down(link, item->text);
        break;
    case MQTT_ITEM_START:
        link->connect_ms = clock_now_ms();
        break;
    case MQTT_ITEM_STOP:
        on_stop(link, item->number);
        break;
    default:
        break;
    }
    mqtt_item_free(&item->item);
}

static bool is_finished(const struct mqtt_link *link, int64_t now_ms)
{
    bool idle = mqtt_outbox_empty(&link->outbox);
    return link->stopping && (!link->up || idle || now_ms >= link->stop_ms);
}

static int wait_ms(const struct mqtt_link *link, int64_t now_ms)
{
    if (link->up && !link->stopping)
        return -1;
    int64_t wait = (link->stopping ? link->stop_ms : link->connect_ms) - now_ms;
    return wait < 0 ? 0 : wait > 60000 ? 60000 : (int)wait;
}

static void *run(void *self)
{
    struct mqtt_link *link = self;
    struct pollfd ready = {.fd = inbox_fd(link->orders), .events = POLLIN};
    for (;;) {
        int64_t now_ms = clock_now_ms();
        if (is_finished(link, now_ms))
            break;
        poll(&ready, 1, wait_ms(link, now_ms));
        for (struct inbox_item *item = inbox_take(link->orders), *next; item; item = next) {
            next = item->next;
            handle(link, as_item(item));
        }
        if (!link->up && !link->stopping && clock_now_ms() >= link->connect_ms)
            connect_now(link);
        send_waiting(link);
    }
    if (link->up)
        mqtt_client_disconnect(link->client);
    return NULL;
}

int mqtt_link_open(struct mqtt_link **out, const struct mqtt_options *options, struct inbox *events)
{
    struct mqtt_link *link = calloc(1, sizeof *link);
    if (!link)
        return -ENOMEM;
    link->options = options;
    link->events = events;
    link->backoff =
        (struct backoff){.first_ms = options->backoff_first_ms, .max_ms = options->backoff_max_ms};
    link->connect_ms = INT64_MAX;
    link->refusals.every_ms = 10000;
    mqtt_outbox_init(&link->outbox);
    int error = inbox_open(&link->orders, ORDERS_FACTOR * options->outbox_bytes, mqtt_item_free);
    if (error == 0)
        error = mqtt_client_open(&link->client, options, link->orders, events);
    if (error == 0)
        error = -pthread_create(&link->thread, NULL, run, link);
    if (error != 0) {
        mqtt_client_close(link->client);
        inbox_close(link->orders);
        free(link);
        return error;
    }
    *out = link;
    return 0;
}

void mqtt_link_close(struct mqtt_link *link)
{
    if (!link)
        return;
    pthread_join(link->thread, NULL);
    mqtt_client_close(link->client);
    mqtt_outbox_free(&link->outbox);
    link->up = false;
    unsubscribe(link, NULL);
    inbox_close(link->orders);
    free(link);
}

int mqtt_link_put(struct mqtt_link *link, struct mqtt_item *item)
{
    size_t size = item->item.size; /* the item may be gone when the put returns */
    if (item->kind != MQTT_ITEM_PUBLISH)
        return inbox_force(link->orders, &item->item);
    atomic_fetch_add(&link->counts.outstanding_bytes, size);
    int error = inbox_try_put(link->orders, &item->item);
    if (error != 0)
        atomic_fetch_sub(&link->counts.outstanding_bytes, size);
    return error;
}

const struct mqtt_link_counts *mqtt_link_counts(const struct mqtt_link *link)
{
    return &link->counts;
}
