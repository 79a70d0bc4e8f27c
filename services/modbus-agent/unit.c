#include "unit.h"

#include "bus.h"
#include "clock.h"
#include "controls.h"
#include "device.h"
#include "log.h"
#include "output.h"
#include "sample.h"
#include "unit_meta.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_GROUP SIZE_MAX

/* Where a poll reads what an actuator writes. */
struct echo {
    size_t group; /* NO_GROUP: no poll does */
    size_t point;
    size_t cell;
};

struct unit {
    const struct unit_settings *settings; /* borrowed */
    size_t index;
    struct worker *worker; /* borrowed */
    struct health *health; /* borrowed */
    struct mqtt *mqtt;     /* borrowed */
    struct holes holes;
    struct report *reports; /* for each group */
    health_counter *unchanged;
    health_counter *readings;
    struct device *device;
    struct controls *controls;
    struct echo *echoes; /* for each actuator */
    int *faults;         /* for each group the first result of its last round that was not 0 */
    bool answered;       /* since the link came */
    char down[ANSWER_TEXT_SIZE]; /* why there is no link; empty while there is */
    enum breaker_state breaker;
    unsigned n_writing;
    uint64_t written;                /* answer.writes of the last write */
    uint16_t fed;                    /* what the watchdog was told last */
    struct reading reading;          /* kept for its memory */
    char (*texts)[DECODE_TEXT_SIZE]; /* of the strings in one reading */
};

static void log_state(const struct unit *unit, const char *reason)
{
    static const char *const names[] = {"unknown", "online", "degraded", "offline"};
    enum device_state state = device_state(unit->device);

    log_write(state == DEVICE_ONLINE ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "device_state",
              "device=%s/%s state=%s reason=\"%s\"", unit->settings->location,
              unit->settings->device, names[state], reason);
}

static enum device_state judge(const struct unit *unit, char *reason, size_t size)
{
    const struct unit_settings *settings = unit->settings;

    *reason = '\0';
    if (unit->down[0]) {
        snprintf(reason, size, "link_down: %.*s", (int)size - 16, unit->down);
        return DEVICE_OFFLINE;
    }
    if (unit->breaker != BREAKER_CLOSED) {
        snprintf(reason, size, "unit_silent");
        return DEVICE_OFFLINE;
    }
    for (size_t i = 0; i < settings->n_groups; i++) {
        if (unit->faults[i] == 0)
            continue;
        snprintf(reason, size, "%s in %s", bus_reason(unit->faults[i]),
                 settings->groups[i].measurement);
        return DEVICE_DEGRADED;
    }
    if (controls_feed_failure(unit->controls)) {
        snprintf(reason, size, "%s in feeding the watchdog", controls_feed_failure(unit->controls));
        return DEVICE_DEGRADED;
    }
    return unit->answered ? DEVICE_ONLINE : device_state(unit->device);
}

static void update_state(struct unit *unit, int64_t time_ms)
{
    char reason[ANSWER_TEXT_SIZE + 16];
    enum device_state before = device_state(unit->device);
    enum device_state state = judge(unit, reason, sizeof reason);
    char name[2 * TOPIC_NAME_SIZE];

    snprintf(name, sizeof name, "%s/%s", unit->settings->location, unit->settings->device);
    health_set_breaker(unit->health, name, unit->breaker);
    if (state == DEVICE_UNKNOWN)
        return;
    device_set_state(unit->device, state, reason, unit->breaker, time_ms);
    if (state == before)
        return;
    log_state(unit, reason);
    if (state != DEVICE_OFFLINE)
        return;
    health_set_error(unit->health, time_ms, reason);
    controls_offline(unit->controls);
}

/* Hands every waiting command to the bus's thread. */
static void on_waiting(void *self)
{
    struct unit *unit = self;
    const struct value *value;
    int i;

    while ((i = controls_next(unit->controls, &value)) >= 0) {
        const struct value none = {.type = VALUE_NONE};
        uint16_t cells[OUTPUT_CELLS_MAX] = {0};
        int rc = output_encode(&unit->settings->outputs[i], value, cells);

        if (rc != 0) {
            controls_done(unit->controls, i, COMMAND_REJECTED,
                          rc == -ERANGE ? "out_of_range" : "bad_value", none);
            continue;
        }
        rc = worker_write(unit->worker, unit->index, (size_t)i, cells);
        if (rc != 0)
            controls_done(unit->controls, i, COMMAND_REJECTED, "device_offline", none);
        else
            unit->n_writing++;
    }
}

static void on_feed(void *self)
{
    struct unit *unit = self;

    unit->fed = feed_next(&unit->settings->feed, unit->fed);
    if (worker_feed(unit->worker, unit->index, unit->fed) != 0)
        controls_fed(unit->controls, "device_offline");
}

/* The first group that polls what the actuator writes. */
static struct echo find_echo(const struct unit_settings *settings, const struct output *output)
{
    for (size_t i = 0; i < settings->n_groups; i++) {
        const struct group_settings *group = &settings->groups[i];

        for (size_t j = 0; j < group->n_points; j++) {
            const struct group_point *point = &group->points[j];

            if (span_covers(&point->span, &output->span))
                return (struct echo){
                    i, j, point->first_cell + output->span.address - point->span.address};
        }
    }
    return (struct echo){.group = NO_GROUP};
}

static size_t count_texts(const struct unit_settings *settings)
{
    size_t most = 0;

    for (size_t i = 0; i < settings->n_groups; i++) {
        size_t n = 0;

        for (size_t j = 0; j < settings->groups[i].n_points; j++)
            n += settings->groups[i].points[j].encoding.type == DATA_STRING;
        most = n > most ? n : most;
    }
    return most;
}

static int open_report(struct report *out, const struct group_settings *group)
{
    int rc = group->on_change ? report_open(out, group->n_points, group->heartbeat_ms) : 0;

    for (size_t i = 0; rc == 0 && group->on_change && i < group->n_points; i++)
        report_add(out, group->points[i].point.name, &group->points[i].band);
    return rc;
}

static int allocate(struct unit *unit)
{
    const struct unit_settings *settings = unit->settings;

    unit->echoes = calloc(settings->n_actuators + 1, sizeof *unit->echoes);
    unit->reports = calloc(settings->n_groups + 1, sizeof *unit->reports);
    unit->faults = calloc(settings->n_groups + 1, sizeof *unit->faults);
    unit->texts = calloc(count_texts(settings) + 1, sizeof *unit->texts);
    if (!unit->echoes || !unit->faults || !unit->texts || !unit->reports)
        return -ENOMEM;
    for (size_t i = 0; i < settings->n_actuators; i++)
        unit->echoes[i] = find_echo(settings, &settings->outputs[i]);
    for (size_t i = 0; i < settings->n_groups; i++)
        if (open_report(&unit->reports[i], &settings->groups[i]) != 0)
            return -ENOMEM;
    return 0;
}

static int describe(struct unit *unit)
{
    struct buffer text = {0};
    int rc =
        unit_meta(&text, unit->settings, &unit->holes, mqtt_instance(unit->mqtt), clock_time_ms());

    if (rc == 0)
        rc = device_set_meta(unit->device, buffer_string(&text));
    buffer_free(&text);
    return rc;
}

static int open_parts(struct unit *unit, const struct unit_options *options)
{
    int rc = allocate(unit);

    if (rc == 0)
        rc = holes_copy(&unit->holes, options->holes);
    if (rc == 0)
        rc = device_open(&unit->device, options->mqtt, options->backlog, unit->settings->location,
                         unit->settings->device);
    if (rc != 0)
        return rc;
    rc = describe(unit);
    if (rc == -ENOMEM)
        return rc;
    struct controls_options controls = {.mqtt = options->mqtt,
                                        .health = options->health,
                                        .device = unit->device,
                                        .settings = unit->settings->actuators,
                                        .n_settings = unit->settings->n_actuators,
                                        .state_dir = options->state_dir,
                                        .watchdog = &unit->settings->feed.watchdog,
                                        .on_feed = on_feed};
    return controls_open(&unit->controls, &controls, on_waiting, unit);
}

int unit_open(struct unit **out, const struct unit_options *options)
{
    struct unit *unit = calloc(1, sizeof *unit);
    int rc;

    if (!unit)
        return -ENOMEM;
    unit->settings = options->settings;
    unit->index = options->index;
    unit->worker = options->worker;
    unit->health = options->health;
    unit->mqtt = options->mqtt;
    unit->readings = health_count(options->health, "readings");
    unit->unchanged = health_count(options->health, "readings_unchanged");
    rc = open_parts(unit, options);
    if (rc != 0) {
        unit_close(unit);
        return rc;
    }
    *out = unit;
    return 0;
}

void unit_close(struct unit *unit)
{
    if (!unit)
        return;
    controls_close(unit->controls);
    device_close(unit->device);
    reading_free(&unit->reading);
    holes_free(&unit->holes);
    for (size_t i = 0; unit->reports && i < unit->settings->n_groups; i++)
        report_close(&unit->reports[i]);
    free(unit->reports);
    free(unit->texts);
    free(unit->faults);
    free(unit->echoes);
    free(unit);
}

static int fill_reading(struct unit *unit, const struct group_settings *group,
                        const struct answer *answer)
{
    size_t n_texts = 0;
    int rc = 0;

    reading_reset(&unit->reading, answer->time_ms, 0);
    for (size_t i = 0; i < group->n_points && rc == 0; i++) {
        const struct group_point *point = &group->points[i];
        int result = answer->results[i];

        if (result != 0) {
            rc = reading_add_fault(&unit->reading, point->point.name, bus_reason(result));
            continue;
        }
        rc = sample_add(point, &unit->reading, answer->cells + point->first_cell,
                        unit->texts[n_texts]);
        n_texts += point->encoding.type == DATA_STRING;
    }
    return rc;
}

static void publish(struct unit *unit, const struct group_settings *group,
                    const struct answer *answer)
{
    struct report *report = &unit->reports[answer->index];
    int rc = fill_reading(unit, group, answer);

    if (rc == 0 && group->on_change && !report_due(report, &unit->reading, clock_now_ms())) {
        health_raise(unit->unchanged, 1);
        return;
    }
    if (rc == 0)
        rc = device_publish(unit->device, group->measurement, &unit->reading);
    if (rc == 0) {
        health_raise(unit->readings, 1);
        return;
    }
    health_raise(health_count(unit->health, "dropped.reading"), 1);
    if (group->on_change)
        report_forget(report);
}

/* A write goes ahead of what is left of a round: what the round had read before it is old by now.
 */
static void observe(struct unit *unit, const struct answer *answer)
{
    if (answer->writes < unit->written)
        return;
    for (size_t i = 0; i < unit->settings->n_actuators; i++) {
        const struct echo *echo = &unit->echoes[i];

        if (echo->group == answer->index && answer->results[echo->point] == 0)
            controls_observe(
                unit->controls, (int)i,
                output_decode(&unit->settings->outputs[i], answer->cells + echo->cell));
    }
}

void unit_take_round(struct unit *unit, const struct answer *answer)
{
    const struct group_settings *group = &unit->settings->groups[answer->index];
    int *fault = &unit->faults[answer->index];

    *fault = 0;
    for (size_t i = 0; i < group->n_points && *fault == 0; i++)
        *fault = answer->results[i];
    unit->breaker = answer->breaker;
    unit->answered = unit->answered || *fault == 0;
    update_state(unit, answer->time_ms);
    publish(unit, group, answer);
    observe(unit, answer);
}

void unit_take_write(struct unit *unit, const struct answer *answer)
{
    int i = (int)answer->index;
    const struct output *output = &unit->settings->outputs[i];
    struct value held = {.type = VALUE_NONE};

    unit->n_writing--;
    unit->written = answer->writes;
    unit->breaker = answer->breaker;
    if (answer->has_cells)
        held = output_decode(output, answer->cells);
    if (write_explanation(answer))
        controls_explain(unit->controls, i, write_explanation(answer));
    if (answer->result == 0)
        controls_done(unit->controls, i, COMMAND_OK, NULL, held);
    else if (answer->result == WRITE_REFUSED)
        controls_done(unit->controls, i, COMMAND_REJECTED, "device_offline", held);
    else if (answer->result == WRITE_DIFFERENT)
        controls_done(unit->controls, i, COMMAND_FAILED, "verify_failed", held);
    else
        controls_done(unit->controls, i, COMMAND_FAILED, bus_reason(answer->result), held);
    update_state(unit, answer->time_ms);
    on_waiting(unit); /* the next command to the same actuator may have waited for this one */
}

void unit_take_feed(struct unit *unit, const struct answer *answer)
{
    const char *failure = answer->result == 0               ? NULL
                          : answer->result == WRITE_REFUSED ? "device_offline"
                                                            : bus_reason(answer->result);

    unit->breaker = answer->breaker;
    controls_fed(unit->controls, failure);
    update_state(unit, answer->time_ms);
}

void unit_take_holes(struct unit *unit, const struct holes *holes)
{
    struct holes fresh;

    if (holes_copy(&fresh, holes) != 0) {
        holes_free(&fresh);
        return;
    }
    holes_free(&unit->holes);
    unit->holes = fresh;
    describe(unit);
    log_info("holes_learnt", "device=%s/%s holes=%zu", unit->settings->location,
             unit->settings->device, fresh.n);
}

void unit_take_breaker(struct unit *unit, enum breaker_state breaker, int64_t time_ms)
{
    if (unit->breaker == breaker)
        return;
    unit->breaker = breaker;
    update_state(unit, time_ms);
}

void unit_take_link(struct unit *unit, const char *down, int64_t time_ms)
{
    snprintf(unit->down, sizeof unit->down, "%s", down ? down : "");
    /* Without a poll nothing but the link says whether commands can be tried. */
    unit->answered = !down && unit->settings->n_groups == 0;
    update_state(unit, time_ms);
    if (!down)
        controls_wire_up(unit->controls);
}

void unit_announce(struct unit *unit)
{
    for (size_t i = 0; i < unit->settings->n_groups; i++)
        report_forget(&unit->reports[i]); /* the broker may have lost the last one */
    device_announce(unit->device);
    controls_announce(unit->controls);
}

void unit_refuse_commands(struct unit *unit)
{
    controls_leave(unit->controls);
}

bool unit_is_writing(const struct unit *unit)
{
    return unit->n_writing > 0 || !controls_settled(unit->controls);
}
