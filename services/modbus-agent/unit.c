#include "unit.h"

#include "bus.h"
#include "clock.h"
#include "controls.h"
#include "device.h"
#include "echo.h"
#include "log.h"
#include "output.h"
#include "presence.h"
#include "unit_meta.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const struct unit_settings *settings; /* borrowed */
    size_t index;
    struct worker *worker; /* borrowed; NULL from unit_halt() to unit_move() */
    struct health *health; /* borrowed */
    struct mqtt *mqtt;     /* borrowed */
    struct sample *sample; /* borrowed */
    struct holes holes;
    health_counter *readings;
    struct device *device;
    struct controls *controls;
    struct echo *echoes; /* for each actuator */
    struct presence presence;
    bool shown; /* the breaker is in health… */
    enum breaker_state shown_breaker;
    bool linked;   /* its thread has said whether there is a link: only then it is given work */
    bool feed_due; /* while it has not */
    unsigned n_writing;
    uint64_t written; /* answer.writes of the last write */
    uint16_t fed;     /* what the watchdog was told last */
};

static void log_state(const struct unit *unit, const char *reason)
{
    static const char *const names[] = {"unknown", "online", "degraded", "offline"};
    enum device_state state = device_state(unit->device);

    log_write(state == DEVICE_ONLINE ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "device_state",
              "device=%s/%s state=%s reason=\"%s\"", unit->settings->location,
              unit->settings->device, names[state], reason);
}

static void name_breaker(const struct unit *unit, char out[2 * TOPIC_NAME_SIZE])
{
    snprintf(out, 2 * TOPIC_NAME_SIZE, "%s/%s", unit->settings->location, unit->settings->device);
}

/* A walk through all that health shows: not for every round. */
static void show_breaker(struct unit *unit)
{
    char name[2 * TOPIC_NAME_SIZE];

    if (unit->shown && unit->shown_breaker == unit->presence.breaker)
        return;
    name_breaker(unit, name);
    health_set_breaker(unit->health, name, unit->presence.breaker);
    unit->shown = true;
    unit->shown_breaker = unit->presence.breaker;
}

static void update_state(struct unit *unit, int64_t time_ms)
{
    char reason[PRESENCE_REASON_SIZE];
    enum device_state before = device_state(unit->device);
    enum device_state state;

    unit->presence.feed_failure = controls_feed_failure(unit->controls);
    state = presence_judge(&unit->presence, before, reason);
    show_breaker(unit);
    if (state == DEVICE_UNKNOWN)
        return;
    device_set_state(unit->device, state, reason, unit->presence.breaker, time_ms);
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

    while (unit->linked && (i = controls_next(unit->controls, &value)) >= 0) {
        const struct value none = {.type = VALUE_NONE};
        struct write_order order = {.unit = unit->index,
                                    .actuator = (size_t)i,
                                    .expires_ms = controls_expiry_ms(unit->controls, i)};
        int rc = output_encode(&unit->settings->outputs[i], value, order.cells);

        if (rc != 0) {
            controls_done(unit->controls, i, COMMAND_REJECTED,
                          rc == -ERANGE ? "out_of_range" : "bad_value", none);
            continue;
        }
        rc = worker_write(unit->worker, &order);
        if (rc != 0)
            controls_done(unit->controls, i, COMMAND_REJECTED, "device_offline", none);
        else
            unit->n_writing++;
    }
}

static void on_feed(void *self)
{
    struct unit *unit = self;

    unit->feed_due = !unit->linked;
    if (unit->feed_due)
        return;
    unit->fed = feed_next(&unit->settings->feed, unit->fed);
    if (worker_feed(unit->worker, unit->index, unit->fed) != 0)
        controls_fed(unit->controls, "device_offline");
}

static int allocate(struct unit *unit)
{
    const struct unit_settings *settings = unit->settings;

    unit->echoes = calloc(settings->n_actuators + 1, sizeof *unit->echoes);
    if (!unit->echoes || presence_open(&unit->presence, settings) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < settings->n_actuators; i++)
        unit->echoes[i] = echo_find(settings, &settings->outputs[i]);
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
    unit->sample = options->sample;
    unit->readings = health_count(options->health, "readings");
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
    presence_close(&unit->presence);
    holes_free(&unit->holes);
    free(unit->echoes);
    free(unit);
}

static bool measures(const struct unit_settings *settings, const char *measurement)
{
    for (size_t i = 0; settings && i < settings->n_groups; i++)
        if (strcmp(settings->groups[i].measurement, measurement) == 0)
            return true;
    return false;
}

void unit_part(struct unit *unit, const struct unit_settings *next)
{
    const struct unit_settings *own = unit->settings;
    char breaker[2 * TOPIC_NAME_SIZE];

    controls_part(unit->controls, next ? next->actuators : NULL, next ? next->n_actuators : 0);
    for (size_t i = 0; i < own->n_groups; i++)
        if (!measures(next, own->groups[i].measurement))
            device_withdraw(unit->device, own->groups[i].measurement);
    device_part(unit->device, !next);
    name_breaker(unit, breaker);
    health_drop(unit->health, breaker);
}

void unit_halt(struct unit *unit)
{
    unit->worker = NULL;
    unit->linked = false;
}

void unit_move(struct unit *unit, struct worker *worker, size_t index)
{
    unit->worker = worker;
    unit->index = index;
    unit->written = 0; /* the new thread counts its own */
}

const struct unit_settings *unit_settings_of(const struct unit *unit)
{
    return unit->settings;
}

/* What says nothing new is kept for the interlocks, which go by its age. */
static void publish(struct unit *unit, const struct answer *answer)
{
    const struct group_settings *group = &unit->settings->groups[answer->index];
    struct reading *reading = &unit->sample->reading;
    int rc = sample_take(unit->sample, group, answer->results, answer->cells);

    reading->ts_ms = answer->time_ms;
    if (rc == 0 && !answer->publish) {
        device_note(unit->device, group->measurement, reading);
        return;
    }
    if (rc == 0)
        rc = device_publish(unit->device, group->measurement, reading);
    if (rc == 0) {
        health_raise(unit->readings, 1);
        return;
    }
    health_raise(health_count(unit->health, "dropped.reading"), 1);
    if (group->on_change && unit->worker)
        worker_renew(unit->worker); /* else it would be taken for published */
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
    presence_take_round(&unit->presence, answer);
    update_state(unit, answer->time_ms);
    publish(unit, answer);
    observe(unit, answer);
}

void unit_take_write(struct unit *unit, const struct answer *answer)
{
    int i = (int)answer->index;
    const struct output *output = &unit->settings->outputs[i];
    struct value held = {.type = VALUE_NONE};

    unit->n_writing--;
    unit->written = answer->writes;
    unit->presence.breaker = answer->breaker;
    if (answer->has_cells)
        held = output_decode(output, answer->cells);
    if (write_explanation(answer))
        controls_explain(unit->controls, i, write_explanation(answer));
    if (answer->result == 0)
        controls_done(unit->controls, i, COMMAND_OK, NULL, held);
    else if (answer->result == WRITE_REFUSED)
        controls_done(unit->controls, i, COMMAND_REJECTED, "device_offline", held);
    else if (answer->result == WRITE_EXPIRED)
        controls_done(unit->controls, i, COMMAND_EXPIRED, NULL, held);
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

    unit->presence.breaker = answer->breaker;
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
    if (unit->presence.breaker == breaker)
        return;
    unit->presence.breaker = breaker;
    update_state(unit, time_ms);
}

void unit_take_link(struct unit *unit, const char *down, int64_t time_ms)
{
    presence_take_link(&unit->presence, down);
    unit->linked = unit->worker != NULL; /* else these are the old thread's last words */
    update_state(unit, time_ms);
    if (!down)
        controls_wire_up(unit->controls);
    if (unit->feed_due)
        on_feed(unit);
    on_waiting(unit);
}

void unit_announce(struct unit *unit)
{
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
