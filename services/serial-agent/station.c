#include "station.h"

#include "clock.h"
#include "controls.h"
#include "device.h"
#include "log.h"
#include "meta.h"
#include "reading.h"
#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_SIZE 128
#define N_COUNTERS 14

struct station {
    struct station_context context;
    const struct board_config *config;
    struct board board;
    struct link *link;
    struct loop_timer *timer;
    struct device *device;
    struct controls *controls;
    bool up;
    bool draining;
    char down_reason[REASON_SIZE];

    struct reading reading;
    struct value raw[DECODE_FIELDS_MAX];
    char *scratch; /* of the decoder */
    uint64_t bad_values;

    struct writer writer;

    uint64_t counted[N_COUNTERS];
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
        return DEVICE_ONLINE;
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
    return is_heard(station) ? "" : "waiting for the first answer";
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

/* After whatever happened: what is due now, and when to look again. */
static void go_on(struct station *station)
{
    int64_t due;

    board_run(&station->board, loop_now(station->context.loop));
    due = board_due_ms(&station->board, loop_now(station->context.loop));
    if (due == INT64_MAX)
        loop_timer_cancel(station->timer);
    else
        loop_timer_set(station->timer, due);
    show_state(station);
}

static void on_time(void *self)
{
    go_on(self);
}

static void on_waiting(void *self)
{
    go_on(self);
}

/* ---- the link ---- */

static void on_up(void *self)
{
    struct station *station = self;

    station->up = true;
    board_opened(&station->board, loop_now(station->context.loop));
    go_on(station);
}

static void on_line(void *self, const char *line)
{
    struct station *station = self;

    board_line(&station->board, line, loop_now(station->context.loop));
    go_on(station);
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
    .on_up = on_up, .on_line = on_line, .on_down = on_down};

/* ---- the conversation ---- */

static void send_line(void *self, const char *line)
{
    struct station *station = self;

    link_send(station->link, line);
}

static void publish(struct station *station, const struct poll_settings *poll)
{
    station->bad_values += station->reading.n_faults;
    /* What cannot be kept is in mqtt.h's own count of what was dropped. */
    device_publish(station->device, poll->measurement, &station->reading);
}

static bool on_poll_line(void *self, size_t index, const char *line)
{
    struct station *station = self;
    const struct poll_settings *poll = &station->config->polls[index];

    if (poll->decode(line, poll->fields, poll->n_points, station->raw, station->scratch) == 0)
        return false;
    reading_reset(&station->reading, clock_time_ms(), 0);
    for (size_t i = 0; i < poll->n_points; i++)
        point_add(&poll->points[i], &station->reading, station->raw[i]);
    publish(station, poll);
    writer_observe(&station->writer, index, &station->reading);
    return true;
}

static void on_poll_failed(void *self, size_t index)
{
    struct station *station = self;
    const struct poll_settings *poll = &station->config->polls[index];

    reading_reset(&station->reading, clock_time_ms(), 0);
    for (size_t i = 0; i < poll->n_points; i++)
        reading_add_fault(&station->reading, poll->points[i].name, "timeout");
    publish(station, poll);
}

static bool next_write(void *self, struct board_write *out)
{
    struct station *station = self;

    return !station->draining && writer_next(&station->writer, out);
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
                                                     .on_write_line = on_write_line,
                                                     .on_write_end = on_write_end};

/* ---- the station ---- */

static int set_meta(struct station *station)
{
    const struct board_config *config = station->config;
    struct buffer text = {0};
    struct jsonw w =
        meta_begin(&text, mqtt_instance(station->context.mqtt), FIELDLINE_VERSION, clock_time_ms());
    int error;

    for (size_t i = 0; i < config->board.n_polls; i++)
        for (size_t j = 0; j < config->polls[i].n_points; j++)
            meta_point(&w, &config->polls[i].points[j], config->polls[i].measurement,
                       config->requests[i].period_ms);
    error = meta_end(&w, config->actuators, config->n_outputs);
    if (error == 0)
        error = device_set_meta(station->device, buffer_string(&text));
    buffer_free(&text);
    return error;
}

static int open_parts(struct station *station)
{
    const struct board_config *config = station->config;
    struct controls_options options = {.mqtt = station->context.mqtt,
                                       .health = station->context.health,
                                       .settings = config->actuators,
                                       .n_settings = config->n_outputs};
    int error = loop_timer_open(&station->timer, station->context.loop, on_time, station);

    if (error == 0)
        error = device_open(&station->device, station->context.mqtt, station->context.backlog,
                            config->location, config->device);
    options.device = station->device;
    if (error == 0)
        error = controls_open(&station->controls, &options, on_waiting, station);
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
    int error = -ENOMEM;

    if (!station)
        return -ENOMEM;
    station->context = *context;
    station->config = config;
    snprintf(station->down_reason, sizeof station->down_reason, "connecting");
    board_init(&station->board, &config->board, &board_handlers, station);
    station->scratch = malloc(config->link.max_line + 1);
    if (station->scratch)
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
    reading_free(&station->reading);
    free(station->scratch);
    free(station);
}

void station_announce(struct station *station)
{
    device_announce(station->device);
    controls_announce(station->controls);
}

void station_drain(struct station *station)
{
    station->draining = true;
    controls_offline(station->controls);
}

bool station_drained(const struct station *station)
{
    return !station->board.writing;
}

bool station_online(const struct station *station)
{
    return state_of(station) == DEVICE_ONLINE;
}

void station_count(struct station *station)
{
    static const char *const names[N_COUNTERS] = {
        "requests",   "timeouts",           "lines.boot",        "lines.late", "lines.unexpected",
        "lines.good", "dropped.long_lines", "dropped.bad_lines", "bytes.bad",  "bytes.in",
        "bytes.out",  "links.opened",       "links.lost",        "values.bad"};
    struct link_stats link = link_stats(station->link);
    const struct board_counters *board = &station->board.counters;
    const uint64_t now[N_COUNTERS] = {
        board->requests, board->timeouts, board->boot_lines, board->late,        board->unexpected,
        link.lines,      link.long_lines, link.bad_lines,    link.bad_bytes,     link.bytes_in,
        link.bytes_out,  link.opened,     link.failures,     station->bad_values};

    for (size_t i = 0; i < N_COUNTERS; i++) {
        health_raise(health_count(station->context.health, names[i]), now[i] - station->counted[i]);
        station->counted[i] = now[i];
    }
    health_set_breaker(station->context.health, station->config->device,
                       station->board.breaker.state);
}
