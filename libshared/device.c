#include "device.h"

#include "clock.h"
#include "jsonw.h"
#include "reading_array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_SIZE 129

/* A wall clock that was put back further than this is followed. */
#define CLOCK_BACK_MS 1000

/* The readings of one measurement. */
struct series {
    char measurement[TOPIC_NAME_SIZE];
    uint64_t seq; /* of the last one, as is the next */
    int64_t ts_ms;
    struct reading_array waiting; /* collected, not sent */
};

struct device {
    struct mqtt *mqtt;       /* borrowed */
    struct backlog *backlog; /* borrowed */
    char location[TOPIC_NAME_SIZE];
    char name[TOPIC_NAME_SIZE];
    enum device_state state;
    enum breaker_state breaker;
    char reason[REASON_SIZE];
    int64_t since_ms;
    const char *parting; /* static; NULL: the agent ends */
    char *meta;          /* owned; NULL until set */
    struct series *series;
    size_t n_series;
    struct latest latest;
    bool keeps_latest;
    struct buffer text; /* kept for its memory */
};

int device_open(struct device **out, struct mqtt *mqtt, struct backlog *backlog,
                const char *location, const char *name)
{
    struct device *device = calloc(1, sizeof *device);

    if (!device)
        return -ENOMEM;
    device->mqtt = mqtt;
    device->backlog = backlog;
    snprintf(device->location, sizeof device->location, "%s", location);
    snprintf(device->name, sizeof device->name, "%s", name);
    *out = device;
    return 0;
}

const char *device_location(const struct device *device)
{
    return device->location;
}

const char *device_name(const struct device *device)
{
    return device->name;
}

enum device_state device_state(const struct device *device)
{
    return device->state;
}

static int publish(const struct device *device, enum topic_kind kind, const char *name,
                   const char *payload, size_t size)
{
    char topic[TOPIC_SIZE];
    int error =
        topic_make(topic, mqtt_root(device->mqtt), kind, device->location, device->name, name);
    struct mqtt_message message = {
        .topic = topic, .payload = payload, .size = size, .qos = 1, .retained = true};

    return error ? error : mqtt_publish(device->mqtt, &message);
}

static const char *state_name(enum device_state state)
{
    static const char *const names[] = {"offline", "online", "degraded", "offline"};

    return names[state];
}

static void publish_status(struct device *device)
{
    struct jsonw w = jsonw_start(&device->text);

    buffer_clear(&device->text);
    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "state", state_name(device->state));
    jsonw_integer(&w, "since", device->since_ms);
    if (device->reason[0] != '\0')
        jsonw_text(&w, "reason", device->reason);
    jsonw_text(&w, "breaker", breaker_state_name(device->breaker));
    jsonw_object_end(&w);
    if (!device->text.failed)
        publish(device, TOPIC_STATUS, NULL, device->text.data, device->text.size);
}

void device_set_state(struct device *device, enum device_state state, const char *reason,
                      enum breaker_state breaker, int64_t time_ms)
{
    if (state == device->state && breaker == device->breaker && strcmp(reason, device->reason) == 0)
        return;
    if (state != device->state)
        device->since_ms = time_ms;
    device->state = state;
    device->breaker = breaker;
    snprintf(device->reason, sizeof device->reason, "%s", reason);
    publish_status(device);
}

int device_set_meta(struct device *device, const char *json)
{
    char *copy = strdup(json);

    if (!copy)
        return -ENOMEM;
    free(device->meta);
    device->meta = copy;
    if (!mqtt_is_up(device->mqtt))
        return 0; /* device_announce() is to come */
    return publish(device, TOPIC_META, NULL, copy, strlen(copy));
}

void device_part(struct device *device, bool for_good)
{
    device->parting = for_good ? "removed" : "reconfigured";
    if (for_good)
        publish(device, TOPIC_META, NULL, "", 0);
}

void device_announce(struct device *device)
{
    if (device->meta)
        publish(device, TOPIC_META, NULL, device->meta, strlen(device->meta));
    if (device->state != DEVICE_UNKNOWN)
        publish_status(device);
}

static struct series *series_of(struct device *device, const char *measurement)
{
    struct series *grown;

    for (size_t i = 0; i < device->n_series; i++)
        if (strcmp(device->series[i].measurement, measurement) == 0)
            return &device->series[i];
    grown = realloc(device->series, (device->n_series + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    device->series = grown;
    grown += device->n_series++;
    *grown = (struct series){0};
    snprintf(grown->measurement, sizeof grown->measurement, "%s", measurement);
    return grown;
}

const struct latest *device_latest(const struct device *device)
{
    return &device->latest;
}

void device_keep_latest(struct device *device)
{
    device->keeps_latest = true;
}

void device_note(struct device *device, const char *measurement, const struct reading *reading)
{
    if (device->keeps_latest)
        latest_take(&device->latest, measurement, reading, clock_now_ms());
}

static void stamp(struct series *series, struct reading *reading)
{
    if (reading->ts_ms <= series->ts_ms && series->ts_ms - reading->ts_ms < CLOCK_BACK_MS)
        reading->ts_ms = series->ts_ms + 1;
    series->ts_ms = reading->ts_ms;
    reading->seq = ++series->seq;
}

static int flush(struct device *device, struct series *series)
{
    char topic[TOPIC_SIZE];
    size_t size;
    int error;

    if (reading_array_is_empty(&series->waiting))
        return 0;
    const char *payload = reading_array_end(&series->waiting, &size);
    error = topic_make(topic, mqtt_root(device->mqtt), TOPIC_TELEMETRY, device->location,
                       device->name, series->measurement);
    if (error == 0)
        error = backlog_publish(device->backlog, topic, payload, size);
    reading_array_clear(&series->waiting);
    return error;
}

static int collect(struct device *device, struct series *series, struct reading *reading)
{
    device_note(device, series->measurement, reading);
    stamp(series, reading);
    if (reading_array_add(&series->waiting, reading) != 0) {
        reading_array_clear(&series->waiting);
        return -ENOMEM;
    }
    return reading_array_is_full(&series->waiting) ? flush(device, series) : 0;
}

int device_collect(struct device *device, const char *measurement, struct reading *reading)
{
    struct series *series = series_of(device, measurement);

    return series ? collect(device, series, reading) : -ENOMEM;
}

int device_flush(struct device *device, const char *measurement)
{
    struct series *series = series_of(device, measurement);

    return series ? flush(device, series) : -ENOMEM;
}

int device_publish(struct device *device, const char *measurement, struct reading *reading)
{
    struct series *series = series_of(device, measurement);
    int error = series ? collect(device, series, reading) : -ENOMEM;

    return error ? error : flush(device, series);
}

void device_withdraw(struct device *device, const char *measurement)
{
    device_flush(device, measurement);
    publish(device, TOPIC_TELEMETRY, measurement, "", 0);
}

void device_close(struct device *device)
{
    if (!device)
        return;
    for (size_t i = 0; i < device->n_series; i++) {
        flush(device, &device->series[i]);
        reading_array_free(&device->series[i].waiting);
    }
    device_set_state(device, DEVICE_OFFLINE, device->parting ? device->parting : "agent_stopped",
                     device->breaker, clock_time_ms());
    free(device->meta);
    free(device->series);
    latest_free(&device->latest);
    buffer_free(&device->text);
    free(device);
}
