#include "sink.h"

#include "clock.h"
#include "inlet.h"
#include "log.h"
#include "renewal.h"
#include "report.h"
#include "sender.h"
#include "stats.h"
#include "tally.h"
#include "topic.h"
#include "tracker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_BYTES (1024 * 1024) /* dead letters on their way to the broker */

struct sink {
    struct service *service;
    const struct settings *settings;
    struct spool *spool;
    struct tracker *tracker;
    struct inlet *inlet;
    struct inbox *events;
    struct sender *senders[SETTINGS_TARGETS_MAX]; /* one a target, in its order */
    struct stats *stats;                          /* NULL where no questions are answered */
    struct renewal *renewal;
    struct loop_timer *sync_timer;
    bool sync_failed; /* told already */
    struct tally torn, corrupt;
};

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

/* "store" for the usual target, "store.NAME" for another. */
static void sink_sample_target(const struct sink *sink, size_t i, struct health *health)
{
    const char *name = sink->settings->targets[i].name;
    bool is_usual = strcmp(name, SETTINGS_TARGET_USUAL) == 0;
    struct sender_view view = sender_view(sink->senders[i]);
    char text[96];

    snprintf(text, sizeof(text), is_usual ? "store" : "store.%s", name);
    health_set_breaker(health, text, view.breaker);
    snprintf(text, sizeof(text), is_usual ? "waiting" : "waiting.%s", name);
    health_set(health, text, (double)(spool_end(spool_reader(sink->spool, i)) - view.n_done));
}

static int64_t sink_oldest_ms(const struct sink *sink)
{
    int64_t oldest_ms = 0;

    for (size_t i = 0; i < sink->settings->n_targets; i++) {
        int64_t received_ms = sender_view(sink->senders[i]).received_ms;

        if (received_ms > 0 && (oldest_ms == 0 || received_ms < oldest_ms))
            oldest_ms = received_ms;
    }
    return oldest_ms;
}

static void sink_sample(void *self, struct health *health)
{
    struct sink *sink = self;
    struct spool_stats spool = spool_stats(sink->spool);
    int64_t oldest_ms = sink_oldest_ms(sink);

    health_set(health, "spool_bytes", (double)spool.bytes);
    health_set(health, "spool_records", (double)(spool.next - spool.first));
    health_set(health, "spool_age_ms", oldest_ms ? (double)(clock_time_ms() - oldest_ms) : 0);
    for (size_t i = 0; i < sink->settings->n_targets; i++)
        sink_sample_target(sink, i, health);
    tally_tell(&sink->torn, health, spool.torn);
    tally_tell(&sink->corrupt, health, spool.corrupt);
    if (sink->inlet)
        inlet_sample(sink->inlet, health);
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
                                    .max_age_ms = sink->settings->spool_max_age_ms,
                                    .segment_bytes = sink->settings->segment_bytes,
                                    .sync_each = sink->settings->sync_each,
                                    .readers = sink->settings->readers};
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

static int sink_open_tracker(struct sink *sink)
{
    char *path;
    int error;

    if (asprintf(&path, "%s.ledger", sink->settings->spool_directory) < 0)
        return -ENOMEM;
    error = tracker_open(&sink->tracker,
                         &(struct tracker_options){.path = path,
                                                   .root = service_root(sink->service),
                                                   .health = service_health(sink->service),
                                                   .spool = sink->spool});
    free(path);
    return error;
}

static int sink_open_senders(struct sink *sink)
{
    const struct settings *settings = sink->settings;
    struct sender_options options = {.settings = settings,
                                     .root = service_root(sink->service),
                                     .health = service_health(sink->service),
                                     .events = sink->events};
    int error = 0;

    for (size_t i = 0; !error && i < settings->n_targets; i++) {
        options.target = &settings->targets[i];
        options.reader = spool_reader(sink->spool, i);
        options.account = i == 0 ? tracker_account(sink->tracker) : NULL;
        error = sender_open(&sink->senders[i], &options);
    }
    return error;
}

static int sink_open_inlet(struct sink *sink)
{
    struct inlet_options options = {.service = sink->service,
                                    .settings = sink->settings,
                                    .spool = sink->spool,
                                    .tracker = sink->tracker,
                                    .stats = sink->stats};

    return inlet_open(&sink->inlet, &options);
}

static int sink_set_up(struct sink *sink)
{
    struct loop *loop = service_loop(sink->service);
    struct health *health = service_health(sink->service);
    int error = sink_open_spool(sink);

    if (!error)
        error = sink_open_tracker(sink);
    if (!error)
        error = inbox_open(&sink->events, EVENTS_BYTES, report_event_free);
    if (!error)
        error = loop_watch(loop, inbox_fd(sink->events), POLLIN, sink_on_events, sink);
    if (!error)
        error = loop_timer_open(&sink->sync_timer, loop, sink_on_sync_time, sink);
    if (!error)
        error = sink_open_senders(sink);
    if (!error)
        error = sink_open_stats(sink);
    if (!error)
        error = renewal_open(&sink->renewal, loop, sink->settings);
    if (!error)
        error = health_on_sample(health, sink_sample, sink);
    if (!error)
        error = sink_open_inlet(sink);
    if (!error)
        loop_timer_set(sink->sync_timer, loop_now(loop) + sink->settings->sync_ms);
    return error;
}

int sink_start(void **self, struct service *service, const void *settings)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    int error;

    if (!sink)
        return -ENOMEM;
    sink->service = service;
    sink->settings = settings;
    sink->torn.name = "spool_torn";
    sink->corrupt.name = "spool_corrupt";
    error = sink_set_up(sink);
    if (error) {
        sink_close(sink);
        return error;
    }
    *self = sink;
    return 0;
}

void sink_on_link(void *self, bool up)
{
    struct sink *sink = self;

    inlet_on_link(sink->inlet, up);
}

void sink_drain(void *self)
{
    struct sink *sink = self;

    inlet_drain(sink->inlet);
}

/* Each target has all, or cannot be had. */
bool sink_drained(void *self)
{
    struct sink *sink = self;

    for (size_t i = 0; i < sink->settings->n_targets; i++) {
        struct sender_view view = sender_view(sink->senders[i]);

        if (!view.away && !view.held && spool_waiting(spool_reader(sink->spool, i)) > 0)
            return false;
    }
    return true;
}

void sink_close(void *self)
{
    struct sink *sink = self;
    struct loop *loop = service_loop(sink->service);
    bool inlet_gone = inlet_close(sink->inlet);

    health_off_sample(service_health(sink->service), sink);
    for (size_t i = 0; i < sink->settings->n_targets; i++)
        sender_close(sink->senders[i]);
    stats_close(sink->stats);
    if (sink->events) {
        sink_on_events(sink, 0); /* the last dead letters */
        loop_unwatch(loop, inbox_fd(sink->events));
        inbox_close(sink->events);
    }
    renewal_close(sink->renewal);
    loop_timer_close(sink->sync_timer);
    if (inlet_gone) { /* otherwise a thread still waits for room in the spool */
        tracker_close(sink->tracker);
        spool_close(sink->spool);
    }
    free(sink);
}

bool sink_working(void *self, char *why, size_t size)
{
    struct sink *sink = self;

    if (!inlet_working(sink->inlet, why, size))
        return false;
    for (size_t i = 0; i < sink->settings->n_targets; i++)
        if (sender_view(sink->senders[i]).held) {
            snprintf(why, size, "store %s answers and takes nothing from us; see the log",
                     sink->settings->targets[i].name);
            return false;
        }
    return true;
}
