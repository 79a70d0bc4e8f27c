#include "sink.h"

#include "clock.h"
#include "echo.h"
#include "intake.h"
#include "log.h"
#include "receiver.h"
#include "report.h"
#include "sender.h"
#include "stats.h"
#include "topic.h"
#include "tracker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_BYTES (1024 * 1024) /* dead letters on their way to the broker */
#define ECHO_WAIT_MS 5000

/* A counter of another part, shown as one of ours; reloads start it anew there and not here. */
struct tally {
    const char *name;
    uint64_t told;
};

enum { TALLY_TORN, TALLY_CORRUPT, TALLY_CONNECTS, TALLY_FAILURES, TALLY_SESSIONS_LOST, N_TALLIES };

struct sink {
    struct service *service;
    const struct settings *settings;
    char *filters[SETTINGS_FILTERS_MAX + 2]; /* owned; below the root no more; questions last */
    char *client_id;
    struct spool *spool;
    struct echo *echo;
    struct receiver *receiver;
    struct intake *intake;
    struct inbox *events;
    struct sender *sender;
    struct tracker *tracker;
    struct stats *stats; /* NULL where no questions are answered */
    struct loop_timer *sync_timer;
    struct loop_timer *echo_timer;
    bool silent;      /* the broker granted a subscription and does not serve it */
    bool sync_failed; /* told already */
    bool left_behind; /* the library still holds a part of us */
    struct tally tallies[N_TALLIES];
};

/* On the library's thread. */
static int sink_on_message(void *self, const struct mqtt_message *message)
{
    struct sink *sink = self;

    int error;

    if (sink->stats && stats_on_message(sink->stats, message))
        return 0;
    error = receiver_on_message(sink->receiver, message);
    if (!error)
        tracker_on_message(sink->tracker, message);
    return error;
}

static void sink_test_subscriptions(struct sink *sink)
{
    echo_send(sink->echo, service_mqtt(sink->service));
    loop_timer_set(sink->echo_timer, loop_now(service_loop(sink->service)) + ECHO_WAIT_MS);
}

static void sink_on_up(void *self, bool session_present)
{
    struct sink *sink = self;

    log_info("intake_up", "client=%s session=%s", sink->client_id,
             session_present ? "kept" : "new");
    sink_test_subscriptions(sink);
}

static void sink_on_down(void *self, const char *reason)
{
    struct sink *sink = self;

    log_warning("intake_down", "client=%s reason=\"%s\"", sink->client_id, reason);
    health_set_error(service_health(sink->service), clock_time_ms(), reason);
    loop_timer_cancel(sink->echo_timer);
}

static void sink_on_refused(void *self, const char *filter, const char *reason)
{
    struct sink *sink = self;

    log_error("subscription_refused", "filter=%s reason=\"%s\"", filter, reason);
    health_set_error(service_health(sink->service), clock_time_ms(), "a subscription was refused");
}

static void sink_on_echo_time(void *self)
{
    struct sink *sink = self;
    const char *filter = echo_missing(sink->echo);

    sink->silent = filter != NULL;
    if (!filter || !mqtt_is_up(service_mqtt(sink->service)))
        return;
    log_error("subscription_silent",
              "filter=%s what_to_do=\"allow this user to read it in the broker's ACL\"", filter);
    health_set_error(service_health(sink->service), clock_time_ms(),
                     "a subscription is granted and not served");
}

static void sink_on_sync_time(void *self)
{
    struct sink *sink = self;
    int error = spool_sync(sink->spool);

    if (error && !sink->sync_failed) {
        log_error("spool_sync_failed", "reason=\"%s\"", strerror(-error));
        health_set_error(service_health(sink->service), clock_time_ms(),
                         "the spool cannot be synced");
    }
    sink->sync_failed = error != 0;
    loop_timer_set(sink->sync_timer,
                   loop_now(service_loop(sink->service)) + sink->settings->sync_ms);
}

static void sink_publish_dead(struct sink *sink, const struct report_event *event)
{
    char topic[TOPIC_SIZE];
    struct mqtt_message message = {
        .topic = topic, .payload = event->text, .size = event->size, .qos = 1};

    if (topic_make(topic, service_root(sink->service), TOPIC_DEAD, NULL, NULL,
                   service_instance(sink->service)) == 0)
        mqtt_publish(service_mqtt(sink->service), &message);
}

static void sink_on_events(void *self, short revents)
{
    struct sink *sink = self;
    struct inbox_item *item = inbox_take(sink->events);

    (void)revents;
    while (item) {
        struct inbox_item *next = item->next;
        const struct report_event *event = (struct report_event *)item;

        if (event->kind == REPORT_DEAD)
            sink_publish_dead(sink, event);
        else
            health_set_error(service_health(sink->service), clock_time_ms(), event->text);
        report_event_free(item);
        item = next;
    }
}

static void sink_tally(struct sink *sink, int index, uint64_t value)
{
    struct tally *tally = &sink->tallies[index];

    if (value > tally->told)
        health_raise(health_count(service_health(sink->service), tally->name), value - tally->told);
    tally->told = value;
}

static void sink_sample(void *self, struct health *health)
{
    struct sink *sink = self;
    struct spool_stats spool = spool_stats(sink->spool);
    struct sender_view view = sender_view(sink->sender);

    health_set(health, "spool_bytes", (double)spool.bytes);
    health_set(health, "spool_records", (double)(spool.next - spool.first));
    health_set(health, "spool_age_ms",
               view.received_ms ? (double)(clock_time_ms() - view.received_ms) : 0);
    health_set_breaker(health, "store", view.breaker);
    sink_tally(sink, TALLY_TORN, spool.torn);
    sink_tally(sink, TALLY_CORRUPT, spool.corrupt);
    if (!sink->intake)
        return;
    struct intake_stats intake = intake_stats(sink->intake);
    sink_tally(sink, TALLY_CONNECTS, intake.connects);
    sink_tally(sink, TALLY_FAILURES, intake.failures);
    sink_tally(sink, TALLY_SESSIONS_LOST, intake.sessions_lost);
}

static int sink_make_names(struct sink *sink)
{
    const char *root = service_root(sink->service);
    size_t n = 0;

    if (asprintf(&sink->client_id, "%s-intake", service_instance(sink->service)) < 0)
        sink->client_id = NULL;
    if (!sink->client_id)
        return -ENOMEM;
    for (; sink->settings->filters[n]; n++)
        if (asprintf(&sink->filters[n], "%s/%s", root, sink->settings->filters[n]) < 0) {
            sink->filters[n] = NULL;
            return -ENOMEM;
        }
    if (sink->settings->stats.serve && asprintf(&sink->filters[n], "%s/_query/stats", root) < 0) {
        sink->filters[n] = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int sink_open_tracker(struct sink *sink)
{
    char *path;
    int error;

    if (asprintf(&path, "%s.ledger", sink->settings->spool_directory) < 0)
        return -ENOMEM;
    error = tracker_open(&sink->tracker, path, service_root(sink->service),
                         service_health(sink->service));
    free(path);
    return error;
}

static int sink_open_stats(struct sink *sink)
{
    struct stats_options options = {.settings = &sink->settings->stats,
                                    .loop = service_loop(sink->service),
                                    .mqtt = service_mqtt(sink->service),
                                    .health = service_health(sink->service)};

    return options.settings->serve ? stats_open(&sink->stats, &options) : 0;
}

static int sink_open_spool(struct sink *sink)
{
    struct spool_options options = {.directory = sink->settings->spool_directory,
                                    .max_bytes = sink->settings->spool_max_bytes,
                                    .segment_bytes = sink->settings->segment_bytes,
                                    .sync_each = sink->settings->sync_each};
    char error[512];
    int result = spool_open(&sink->spool, &options, error, sizeof(error));
    struct spool_stats stats;

    if (result) {
        log_error("spool_unusable", "reason=\"%s\"", error);
        return result;
    }
    stats = spool_stats(sink->spool);
    log_info("spool_open", "directory=%s records=%llu bytes=%lld torn=%llu", options.directory,
             (unsigned long long)(stats.next - stats.first), (long long)stats.bytes,
             (unsigned long long)stats.torn);
    return 0;
}

static int sink_open_intake(struct sink *sink)
{
    static const struct intake_handlers handlers = {.on_message = sink_on_message,
                                                    .on_up = sink_on_up,
                                                    .on_down = sink_on_down,
                                                    .on_refused = sink_on_refused};
    struct mqtt_options options = *service_mqtt_options(sink->service);

    options.instance = sink->client_id;
    options.session_expiry_ms = sink->settings->session_expiry_ms;
    return intake_open(&sink->intake, service_loop(sink->service), &options,
                       (const char *const *)sink->filters, &handlers, sink);
}

static int sink_open_sender(struct sink *sink)
{
    struct sender_options options = {.settings = sink->settings,
                                     .root = service_root(sink->service),
                                     .reader = spool_reader(sink->spool, 0),
                                     .health = service_health(sink->service),
                                     .events = sink->events};

    return sender_open(&sink->sender, &options);
}

static int sink_set_up(struct sink *sink)
{
    struct loop *loop = service_loop(sink->service);
    struct health *health = service_health(sink->service);
    int error = sink_make_names(sink);

    if (!error)
        error = sink_open_spool(sink);
    if (!error)
        error = inbox_open(&sink->events, EVENTS_BYTES, report_event_free);
    if (!error)
        error = loop_watch(loop, inbox_fd(sink->events), POLLIN, sink_on_events, sink);
    if (!error)
        error = loop_timer_open(&sink->sync_timer, loop, sink_on_sync_time, sink);
    if (!error)
        error = loop_timer_open(&sink->echo_timer, loop, sink_on_echo_time, sink);
    if (!error)
        error = echo_open(&sink->echo, (const char *const *)sink->filters);
    if (!error)
        error = receiver_open(&sink->receiver, sink->spool, sink->echo, health);
    if (!error)
        error = sink_open_sender(sink);
    if (!error)
        error = sink_open_tracker(sink);
    if (!error)
        error = sink_open_stats(sink);
    if (!error)
        error = health_on_sample(health, sink_sample, sink);
    if (!error)
        error = sink_open_intake(sink);
    if (!error)
        loop_timer_set(sink->sync_timer, loop_now(loop) + sink->settings->sync_ms);
    return error;
}

int sink_start(void **self, struct service *service, const void *settings)
{
    static const char *const names[N_TALLIES] = {"spool_torn", "spool_corrupt", "intake_connects",
                                                 "intake_failures", "sessions_lost"};
    struct sink *sink = calloc(1, sizeof(*sink));
    int error;

    if (!sink)
        return -ENOMEM;
    sink->service = service;
    sink->settings = settings;
    for (int i = 0; i < N_TALLIES; i++)
        sink->tallies[i].name = names[i];
    error = sink_set_up(sink);
    if (error) {
        sink_close(sink);
        return error;
    }
    *self = sink;
    return 0;
}

/* The echoes go out by the service's own connection. */
void sink_on_link(void *self, bool up)
{
    struct sink *sink = self;

    if (up && sink->intake && intake_is_up(sink->intake))
        sink_test_subscriptions(sink);
}

void sink_drain(void *self)
{
    struct sink *sink = self;

    if (!sink->intake)
        return;
    receiver_stop(sink->receiver);
    sink->left_behind = !intake_close(sink->intake);
    sink->intake = NULL;
}

bool sink_drained(void *self)
{
    struct sink *sink = self;
    struct spool_stats spool = spool_stats(sink->spool);
    struct sender_view view = sender_view(sink->sender);

    return spool.first == spool.next || view.away || view.held;
}

static void sink_free(struct sink *sink)
{
    receiver_close(sink->receiver);
    echo_close(sink->echo);
    spool_close(sink->spool);
    for (size_t i = 0; sink->filters[i]; i++)
        free(sink->filters[i]);
    free(sink->client_id);
    free(sink);
}

void sink_close(void *self)
{
    struct sink *sink = self;
    struct loop *loop = service_loop(sink->service);

    sink_drain(sink);
    health_off_sample(service_health(sink->service), sink);
    sender_close(sink->sender);
    stats_close(sink->stats);
    tracker_close(sink->tracker);
    if (sink->events) {
        sink_on_events(sink, 0); /* the last dead letters */
        loop_unwatch(loop, inbox_fd(sink->events));
        inbox_close(sink->events);
    }
    loop_timer_close(sink->sync_timer);
    loop_timer_close(sink->echo_timer);
    if (!sink->left_behind) /* otherwise a thread still waits in the receiver */
        sink_free(sink);
}

bool sink_working(void *self, char *why, size_t size)
{
    struct sink *sink = self;
    int blocked = receiver_blocked(sink->receiver);

    if (blocked)
        snprintf(why, size, "the spool takes nothing: %s", strerror(-blocked));
    else if (!sink->intake || !intake_is_up(sink->intake))
        snprintf(why, size, "no durable connection to the broker");
    else if (intake_stats(sink->intake).refused > 0 || sink->silent)
        snprintf(why, size, "the broker does not serve a subscription; see the log");
    else if (sender_view(sink->sender).held)
        snprintf(why, size, "the store answers and takes nothing from us; see the log");
    else
        return true;
    return false;
}
