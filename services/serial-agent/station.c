#include "station.h"

#include "clock.h"
#include "controls.h"
#include "device.h"
#include "log.h"
#include "reader.h"
#include "station_meta.h"
#include "tally.h"
#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_SIZE 128

struct station {
    struct station_context context;
    const struct board_config *config;
    struct board board;
    struct link *link;
    struct loop_timer *timer;
    struct device *device;
    struct controls *controls;
    bool up;
    char down_reason[REASON_SIZE];

    struct readers readers;
    struct writer writer;
    struct tally tally;
};

static bool is_heard(const struct station *station)
{
    return station->up && station->board.heard;
}

static enum device_state state_of(const struct station *station)
{
    const struct board *board = &station->board;

    if (!is_heard(station))
        return DEVICE_OFFLINE;
    if (board->failures == 0)
        return controls_feed_failure(station->controls) ? DEVICE_DEGRADED : DEVICE_ONLINE;
    if (board->failures < station->config->offline_after && board->breaker.state == BREAKER_CLOSED)
        return DEVICE_DEGRADED;
    return DEVICE_OFFLINE;
}

static const char *reason_of(const struct station *station)
{
    if (!station->up)
        return station->down_reason;
    if (station->board.failures > 0)
        return "no answer";
    if (!is_heard(station))
        return "waiting for the first answer";
    return controls_feed_failure(station->controls) ? "the watchdog is not fed" : "";
}

static void show_state(struct station *station)
{
    static const char *const names[] = {"unknown", "online", "degraded", "offline"};
    enum device_state before = device_state(station->device);
    enum device_state state = state_of(station);
    const char *reason = reason_of(station);

    device_set_state(station->device, state, reason, station->board.breaker.state, clock_time_ms());
    if (state == before || before == DEVICE_UNKNOWN)
        return;
    log_write(state == DEVICE_ONLINE ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "board",
              "device=%s/%s state=%s reason=\"%s\"", station->config->location,
              station->config->device, names[state], reason);
    if (state == DEVICE_OFFLINE)
        controls_offline(station->controls);
}

static void collect(struct station *station)
{
    int64_t now_ms = loop_now(station->context.loop);

    for (size_t i = 0; i < station->readers.n; i++) {
        struct reader *reader = &station->readers.all[i];

        /* What cannot be kept is in mqtt.h's own count of what was dropped. */
        if (reader_release(reader, now_ms))
            device_collect(station->device, reader->settings->measurement, &reader->reading);
    }
}

/* Sends what may go out; returns when the next may, INT64_MAX where nothing waits. */
static int64_t send_collected(struct station *station, int64_t now_ms)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < station->readers.n; i++) {
        struct reader *reader = &station->readers.all[i];

        if (reader_send(reader, now_ms))
            device_flush(station->device, reader->settings->measurement);
        if (reader_due_ms(reader) < due)
            due = reader_due_ms(reader);
    }
    return due;
}

/* After whatever happened: what is due now, and when to look again. */
static void go_on(void *self)
{
    struct station *station = self;
    int64_t now_ms = loop_now(station->context.loop);
    int64_t pending;
    int64_t due;

    board_run(&station->board, now_ms);
    collect(station);
    pending = send_collected(station, now_ms);
    due = board_due_ms(&station->board, now_ms);
    due = pending < due ? pending : due;
    if (due == INT64_MAX)
        loop_timer_cancel(station->timer);
    else
        loop_timer_set(station->timer, due);
    show_state(station);
}

static void on_feed(void *self)
{
    struct station *station = self;

    writer_feed(&station->writer);
    go_on(station);
}

/* ---- the link ---- */

static void on_up(void *self)
{
    struct station *station = self;

    station->up = true;
    board_opened(&station->board, loop_now(station->context.loop));
    controls_wire_up(station->controls);
    go_on(station);
}

static void on_line(void *self, const char *line)
{
    struct station *station = self;

    board_line(&station->board, line, loop_now(station->context.loop));
    collect(station);
}

static void on_down(void *self, const char *reason)
{
    struct station *station = self;

    station->up = false;
    snprintf(station->down_reason, sizeof station->down_reason, "%s", reason);
    board_closed(&station->board);
    go_on(station);
}

static const struct link_handlers link_handlers = {
    .on_up = on_up, .on_line = on_line, .on_lines_end = go_on, .on_down = on_down};

/* ---- the conversation ---- */

static void send_line(void *self, const char *line)
{
    struct station *station = self;

    link_send(station->link, line);
}

static void on_taken(struct station *station, size_t index)
{
    struct reader *reader = &station->readers.all[index];

    reader_offer(reader);
    writer_observe(&station->writer, index, &reader->reading);
}

static bool on_poll_line(void *self, size_t index, const char *line)
{
    struct station *station = self;

    if (!reader_take(&station->readers.all[index], line, clock_time_ms()))
        return false;
    on_taken(station, index);
    return true;
}

static int on_stream_line(void *self, const char *line)
{
    struct station *station = self;
    int index = readers_take_stream(&station->readers, line, clock_time_ms());

    if (index >= 0)
        on_taken(station, (size_t)index);
    return index;
}

static void on_poll_failed(void *self, size_t index)
{
    struct station *station = self;
    struct reader *reader = &station->readers.all[index];

    reader_fail(reader, "timeout", clock_time_ms());
    reader_offer(reader);
}

static void abandon(void *self)
{
    struct station *station = self;

    link_abandon(station->link);
}

static void reset(void *self)
{
    struct station *station = self;

    log_warning("board_reset", "device=%s/%s reason=\"no answer\"", station->config->location,
                station->config->device);
    link_reset(station->link);
}

static bool next_write(void *self, struct board_write *out)
{
    struct station *station = self;

    return writer_next(&station->writer, out);
}

static enum board_answer on_write_line(void *self, const char *line)
{
    struct station *station = self;

    return writer_line(&station->writer, line);
}

static void on_write_end(void *self, enum board_end end)
{
    struct station *station = self;

    writer_end(&station->writer, end);
}

static const struct board_handlers board_handlers = {.send = send_line,
                                                     .next_write = next_write,
                                                     .on_poll_line = on_poll_line,
                                                     .on_poll_failed = on_poll_failed,
                                                     .on_stream_line = on_stream_line,
                                                     .abandon = abandon,
                                                     .reset = reset,
                                                     .on_write_line = on_write_line,
                                                     .on_write_end = on_write_end};

/* ---- the station ---- */

/* What the connection has no room for now is counted there, and said again on the next link up. */
static int set_meta(struct station *station)
{
    struct buffer text = {0};
    int error =
        station_meta(&text, station->config, mqtt_instance(station->context.mqtt), clock_time_ms());

    if (error == 0)
        error = device_set_meta(station->device, buffer_string(&text));
    buffer_free(&text);
    return error == -ENOMEM ? error : 0;
}

static int open_parts(struct station *station)
{
    const struct board_config *config = station->config;
    struct controls_options options = {.mqtt = station->context.mqtt,
                                       .health = station->context.health,
                                       .settings = config->actuators,
                                       .n_settings = config->n_outputs,
                                       .state_dir = station->context.state_dir,
                                       .watchdog = &config->feed.watchdog,
                                       .on_feed = on_feed};
    int error = readers_open(&station->readers, config);

    if (error == 0)
        error = loop_timer_open(&station->timer, station->context.loop, go_on, station);
    if (error == 0)
        error = device_open(&station->device, station->context.mqtt, station->context.backlog,
                            config->location, config->device);
    options.device = station->device;
    if (error == 0)
        error = controls_open(&station->controls, &options, go_on, station);
    writer_init(&station->writer, config, station->controls);
    if (error == 0)
        error = set_meta(station);
    if (error == 0)
        error = link_open(&station->link, station->context.loop, &config->link, &link_handlers,
                          station);
    return error;
}

int station_open(struct station **out, const struct station_context *context,
                 const struct board_config *config)
{
    struct station *station = calloc(1, sizeof *station);
    int error;

    if (!station)
        return -ENOMEM;
    station->context = *context;
    station->config = config;
    snprintf(station->down_reason, sizeof station->down_reason, "connecting");
    board_init(&station->board, &config->board, &board_handlers, station);
    error = open_parts(station);
    if (error) {
        station_close(station);
        return error;
    }
    show_state(station);
    *out = station;
    return 0;
}

void station_close(struct station *station)
{
    if (!station)
        return;
    if (station->controls)
        board_closed(&station->board);
    link_close(station->link);
    loop_timer_close(station->timer);
    controls_close(station->controls);
    device_close(station->device);
    readers_close(&station->readers);
    free(station);
}

static bool measures(const struct board_config *config, const char *measurement)
{
    for (size_t i = 0; config && i < config->board.n_polls; i++)
        if (strcmp(config->polls[i].measurement, measurement) == 0)
            return true;
    return false;
}

static void name_breaker(const struct board_config *config, char out[2 * TOPIC_NAME_SIZE])
{
    snprintf(out, 2 * TOPIC_NAME_SIZE, "%s/%s", config->location, config->device);
}

void station_part(struct station *station, const struct board_config *next)
{
    const struct board_config *own = station->config;
    char breaker[2 * TOPIC_NAME_SIZE];

    board_closed(&station->board);
    controls_part(station->controls, next ? next->actuators : NULL, next ? next->n_outputs : 0);
    for (size_t i = 0; i < own->board.n_polls; i++)
        if (!measures(next, own->polls[i].measurement))
            device_withdraw(station->device, own->polls[i].measurement);
    device_part(station->device, !next);
    station_count(station);
    name_breaker(own, breaker);
    health_drop(station->context.health, breaker);
}

const struct board_config *station_config(const struct station *station)
{
    return station->config;
}

void station_announce(struct station *station)
{
    device_announce(station->device);
    controls_announce(station->controls);
}

void station_drain(struct station *station)
{
    controls_leave(station->controls);
}

bool station_drained(const struct station *station)
{
    return !station->board.writing && controls_settled(station->controls);
}

bool station_online(const struct station *station)
{
    return state_of(station) == DEVICE_ONLINE;
}

void station_count(struct station *station)
{
    const struct tally_sources sources = {
        .board = &station->board, .link = station->link, .readers = &station->readers};
    char breaker[2 * TOPIC_NAME_SIZE];

    tally_raise(&station->tally, station->context.health, &sources);
    name_breaker(station->config, breaker);
    health_set_breaker(station->context.health, breaker, station->board.breaker.state);
}
