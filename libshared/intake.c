#include "intake.h"

#include "backoff.h"
#include "clock.h"
#include "draw.h"
#include "intake_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_CAPACITY (64 * 1024)
#define ANSWER_MARGIN_MS 2000 /* beyond the library's own time-out, in case its answer is lost */
#define BUSY_RETRY_MS 100
#define LEAVE_MS 1000

enum intake_state { INTAKE_WAITING, INTAKE_CONNECTING, INTAKE_SUBSCRIBING, INTAKE_UP };

struct intake {
    struct loop *loop;
    struct loop_timer *timer; /* next attempt, or the end of patience with this one */
    struct inbox *events;
    struct intake_client *client;
    struct mqtt_options options; /* its strings are owned */
    char **filters;
    int n_filters;
    struct intake_handlers handlers;
    void *self;
    enum intake_state state;
    bool session_present;
    struct backoff backoff;
    char reason[160]; /* told last in on_down; empty while up */
    struct intake_stats stats;
};

static void intake_go_down(struct intake *intake, const char *reason)
{
    int64_t now_ms = loop_now(intake->loop);

    if (intake->state != INTAKE_UP)
        intake->stats.failures++;
    intake->state = INTAKE_WAITING;
    loop_timer_set(intake->timer,
                   now_ms + backoff_next(&intake->backoff, draw(), 0));
    if (strcmp(reason, intake->reason) == 0)
        return;
    snprintf(intake->reason, sizeof(intake->reason), "%s", reason);
    intake->handlers.on_down(intake->self, intake->reason);
}

static void intake_expect(struct intake *intake, enum intake_state state)
{
    intake->state = state;
    loop_timer_set(intake->timer,
                   loop_now(intake->loop) + intake->options.connect_timeout_ms + ANSWER_MARGIN_MS);
}

static void intake_on_connected(struct intake *intake, bool session_present)
{
    intake->session_present = session_present;
    intake->stats.refused = 0;
    intake_expect(intake, INTAKE_SUBSCRIBING);
    if (intake_client_subscribe(intake->client, (const char *const *)intake->filters,
                                intake->n_filters) != 0)
        intake_go_down(intake, "the subscriptions could not be sent");
}

static void intake_on_granted(struct intake *intake)
{
    if (intake->state != INTAKE_SUBSCRIBING)
        return;
    if (intake->stats.connects > 0 && !intake->session_present)
        intake->stats.sessions_lost++;
    intake->stats.connects++;
    intake->state = INTAKE_UP;
    intake->reason[0] = '\0';
    backoff_reset(&intake->backoff);
    loop_timer_cancel(intake->timer);
    intake->handlers.on_up(intake->self, intake->session_present);
}

static void intake_on_refused(struct intake *intake, const struct intake_event *event)
{
    intake->stats.refused++;
    if (intake->handlers.on_refused && event->number < intake->n_filters)
        intake->handlers.on_refused(intake->self, intake->filters[event->number], event->text);
}

static void intake_on_failed(struct intake *intake, const char *reason)
{
    if (intake->state == INTAKE_SUBSCRIBING)
        intake_client_disconnect(intake->client);
    if (intake->state != INTAKE_WAITING)
        intake_go_down(intake, reason);
}

static void intake_on_event(struct intake *intake, const struct intake_event *event)
{
    switch (event->kind) {
    case INTAKE_CONNECTED:
        intake_on_connected(intake, event->flag);
        break;
    case INTAKE_GRANTED:
        intake_on_granted(intake);
        break;
    case INTAKE_REFUSED:
        intake_on_refused(intake, event);
        break;
    case INTAKE_FAILED:
        intake_on_failed(intake, event->text);
        break;
    case INTAKE_LOST:
        if (intake->state != INTAKE_WAITING)
            intake_go_down(intake, event->text);
        break;
    case INTAKE_LEFT:
        break;
    }
}

static void intake_on_events(void *self, short revents)
{
    struct intake *intake = self;
    struct inbox_item *item = inbox_take(intake->events);

    (void)revents;
    while (item) {
        struct inbox_item *next = item->next;

        intake_on_event(intake, (struct intake_event *)item);
        intake_event_free(item);
        item = next;
    }
}

/* While a handler waits in on_message the library's lock is held: the loop must not wait for it. */
static void intake_on_time(void *self)
{
    struct intake *intake = self;

    if (intake_client_busy(intake->client)) {
        loop_timer_set(intake->timer, loop_now(intake->loop) + BUSY_RETRY_MS);
    } else if (intake->state != INTAKE_WAITING) {
        intake_on_failed(intake, "no answer");
    } else {
        intake_expect(intake, INTAKE_CONNECTING);
        if (intake_client_connect(intake->client) != 0)
            intake_on_failed(intake, "the attempt could not be started");
    }
}

/* The member of that index among the strings of the options; NULL after the last. */
static const char **option_string(struct mqtt_options *options, size_t index)
{
    const char **strings[] = {&options->url,     &options->root,      &options->instance,
                              &options->version, &options->username,  &options->password,
                              &options->ca_file, &options->cert_file, &options->key_file};

    return index < sizeof(strings) / sizeof(strings[0]) ? strings[index] : NULL;
}

static int intake_copy_options(struct intake *intake, const struct mqtt_options *from)
{
    const char **string;
    int error = 0;

    intake->options = *from;
    for (size_t i = 0; (string = option_string(&intake->options, i)); i++)
        if (*string && !(*string = strdup(*string)))
            error = -ENOMEM;
    return error;
}

static int intake_copy_filters(struct intake *intake, const char *const *filters)
{
    size_t n = 0;

    while (filters[n])
        n++;
    intake->filters = calloc(n + 1, sizeof(*intake->filters));
    if (!intake->filters)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        intake->filters[i] = strdup(filters[i]);
        if (!intake->filters[i])
            return -ENOMEM;
    }
    intake->n_filters = (int)n;
    return 0;
}

static int intake_set_up(struct intake *intake, const struct mqtt_options *options,
                         const char *const *filters)
{
    int error = intake_copy_options(intake, options);

    intake->backoff =
        (struct backoff){.first_ms = options->backoff_first_ms, .max_ms = options->backoff_max_ms};
    if (!error)
        error = intake_copy_filters(intake, filters);
    if (!error)
        error = inbox_open(&intake->events, EVENTS_CAPACITY, intake_event_free);
    if (!error)
        error =
            loop_watch(intake->loop, inbox_fd(intake->events), POLLIN, intake_on_events, intake);
    if (!error)
        error = loop_timer_open(&intake->timer, intake->loop, intake_on_time, intake);
    if (!error)
        error = intake_client_open(&intake->client, &intake->options, intake->events,
                                   intake->handlers.on_message, intake->self);
    if (!error)
        loop_timer_set(intake->timer, loop_now(intake->loop));
    return error;
}

int intake_open(struct intake **out, struct loop *loop, const struct mqtt_options *options,
                const char *const *filters, const struct intake_handlers *handlers, void *self)
{
    struct intake *intake = calloc(1, sizeof(*intake));
    int error;

    if (!intake)
        return -ENOMEM;
    intake->loop = loop;
    intake->handlers = *handlers;
    intake->self = self;
    error = intake_set_up(intake, options, filters);
    if (error) {
        intake_close(intake);
        return error;
    }
    *out = intake;
    return 0;
}

static bool intake_has_left(struct intake *intake)
{
    struct inbox_item *item = inbox_take(intake->events);
    bool left = false;

    while (item) {
        struct inbox_item *next = item->next;

        left = left || ((struct intake_event *)item)->kind == INTAKE_LEFT;
        intake_event_free(item);
        item = next;
    }
    return left;
}

/* Says goodbye to the broker and waits a moment for it to be sent. */
static void intake_leave(struct intake *intake)
{
    int64_t end_ms = clock_now_ms() + LEAVE_MS;
    struct pollfd ready = {.fd = inbox_fd(intake->events), .events = POLLIN};

    while (intake_client_busy(intake->client) && !intake_client_stopped() &&
           clock_now_ms() < end_ms)
        poll(NULL, 0, 10);
    if (intake_client_busy(intake->client) || intake->state == INTAKE_WAITING ||
        intake_client_disconnect(intake->client) != 0)
        return;
    while (!intake_has_left(intake) && clock_now_ms() < end_ms)
        poll(&ready, 1, 50);
}

static void intake_free(struct intake *intake)
{
    const char **string;

    if (intake->events)
        inbox_close(intake->events);
    for (size_t i = 0; (string = option_string(&intake->options, i)); i++)
        free((void *)(uintptr_t)*string);
    for (int i = 0; i < intake->n_filters; i++)
        free(intake->filters[i]);
    free(intake->filters);
    free(intake);
}

bool intake_close(struct intake *intake)
{
    bool ended;

    if (!intake)
        return true;
    if (intake->client)
        intake_leave(intake);
    if (intake->events)
        loop_unwatch(intake->loop, inbox_fd(intake->events));
    loop_timer_close(intake->timer);
    ended = intake_client_close(intake->client);
    if (ended)
        intake_free(intake); /* otherwise a thread of the library still holds it */
    return ended;
}

bool intake_is_up(const struct intake *intake)
{
    return intake->state == INTAKE_UP;
}

struct intake_stats intake_stats(const struct intake *intake)
{
    struct intake_stats stats = intake->stats;

    stats.received = intake_client_received(intake->client);
    return stats;
}
