#include "encode.h"

#include "alert.h"
#include "encode_series.h"
#include "jsonr.h"
#include "reading.h"
#include "topic.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>

struct encoding {
    struct lines *lines;
    const struct topic *topic;
    const char *payload;
    size_t size;
    char *error;
    size_t error_size;
};

static void begin(const struct encoding *e, const char *measurement, const char *extra_tag)
{
    lines_begin(e->lines, measurement);
    if (extra_tag && extra_tag[0] < 'd') /* keys sorted: actuator, device_id, location, rule */
        lines_tag(e->lines, extra_tag, e->topic->name);
    lines_tag(e->lines, "device_id", e->topic->device);
    lines_tag(e->lines, "location", e->topic->location);
    if (extra_tag && extra_tag[0] > 'l')
        lines_tag(e->lines, extra_tag, e->topic->name);
}

static void put_value(struct lines *lines, const struct value *value)
{
    if (value->type == VALUE_TEXT)
        lines_text(lines, "text", value->text);
    else if (value->type == VALUE_BOOL)
        lines_number(lines, "value", value->boolean);
    else
        lines_field(lines, "value", value);
}

static void on_reading(void *self, const struct reading *reading)
{
    const struct encoding *e = self;

    begin(e, e->topic->name, NULL);
    for (size_t i = 0; i < reading->n_fields; i++)
        lines_field(e->lines, reading->fields[i].name, &reading->fields[i].value);
    lines_end(e->lines, reading->ts_ms);
}

static int encode_telemetry(struct encoding *e)
{
    return reading_decode(e->payload, e->size, on_reading, e, e->error, e->error_size);
}

static int on_alert(void *self, const struct alert *alert)
{
    const struct encoding *e = self;

    begin(e, "alert", "rule");
    lines_text(e->lines, "state", alert_state_name(alert->state));
    lines_text(e->lines, "severity", alert_severity_name(alert->severity));
    put_value(e->lines, &alert->value);
    lines_text(e->lines, "message", alert->message);
    lines_number(e->lines, "episode", (double)alert->episode);
    lines_end(e->lines, alert->since_ms);
    return 0;
}

static int encode_alert(struct encoding *e)
{
    return alert_decode(e->payload, e->size, on_alert, e, e->error, e->error_size);
}

static int put_result(const struct encoding *e, const struct jsonr *in)
{
    const char *result = NULL, *reason = NULL, *id = NULL, *source = NULL, *message = NULL;
    int64_t ts_ms = 0, queued_ms = 0, took_ms = 0;
    struct value value = {.type = VALUE_NONE};

    if (jsonr_text(in, "result", JSONR_REQUIRED, &result) != 0 ||
        jsonr_integer(in, "ts", JSONR_REQUIRED, &ts_ms) != 0 ||
        jsonr_text(in, "reason", JSONR_OPTIONAL, &reason) != 0 ||
        jsonr_text(in, "id", JSONR_OPTIONAL, &id) != 0 ||
        jsonr_text(in, "source", JSONR_OPTIONAL, &source) != 0 ||
        jsonr_text(in, "message", JSONR_OPTIONAL, &message) != 0 ||
        jsonr_value(in, "value", JSONR_OPTIONAL, &value) != 0 ||
        jsonr_integer(in, "queued_ms", JSONR_OPTIONAL, &queued_ms) != 0 ||
        jsonr_integer(in, "took_ms", JSONR_OPTIONAL, &took_ms) != 0)
        return -EBADMSG;
    begin(e, "command", "actuator");
    lines_text(e->lines, "result", result);
    lines_text(e->lines, "reason", reason);
    put_value(e->lines, &value);
    lines_text(e->lines, "id", id);
    lines_text(e->lines, "source", source);
    lines_text(e->lines, "message", message);
    lines_number(e->lines, "queued_ms", (double)queued_ms);
    lines_number(e->lines, "took_ms", (double)took_ms);
    lines_end(e->lines, ts_ms);
    return 0;
}

/* "counters": {"received": 3} becomes the field counters.received. */
static void put_members(struct lines *lines, struct json_object *object, const char *group)
{
    char key[160];

    json_object_object_foreach(object, name, node)
    {
        struct value value = jsonr_scalar(node);

        snprintf(key, sizeof(key), "%s.%.128s", group, name);
        lines_field(lines, key, &value);
    }
}

static int put_health(const struct encoding *e, const struct jsonr *in)
{
    static const char *const groups[] = {"counters", "gauges", "breakers"};
    static const char *const numbers[] = {"session", "uptime_ms", "rss_bytes"};
    struct json_object *objects[3] = {NULL};
    int64_t ts_ms = 0, values[3] = {0};

    if (jsonr_integer(in, "ts", JSONR_REQUIRED, &ts_ms) != 0)
        return -EBADMSG;
    for (int i = 0; i < 3; i++)
        if (jsonr_object(in, groups[i], JSONR_OPTIONAL, &objects[i]) != 0 ||
            jsonr_integer(in, numbers[i], JSONR_OPTIONAL, &values[i]) != 0)
            return -EBADMSG;
    lines_begin(e->lines, "health");
    lines_tag(e->lines, "device_id", e->topic->name);
    lines_tag(e->lines, "location", "_service");
    for (int i = 0; i < 3; i++)
        lines_number(e->lines, numbers[i], (double)values[i]);
    for (int i = 0; i < 3; i++)
        if (objects[i])
            put_members(e->lines, objects[i], groups[i]);
    lines_end(e->lines, ts_ms);
    return encode_series(e->lines, in, ts_ms);
}

typedef int put_object_fn(const struct encoding *e, const struct jsonr *in);

static int encode_object(struct encoding *e, put_object_fn *put)
{
    struct jsonr in = {.path = "", .error = e->error, .error_size = e->error_size};
    int error = jsonr_parse_object(&in, e->payload, e->size);

    if (error)
        return error;
    error = put(e, &in);
    jsonr_free(in.object);
    return error;
}

static int encode_kind(struct encoding *e)
{
    switch (e->topic->kind) {
    case TOPIC_TELEMETRY:
        return encode_telemetry(e);
    case TOPIC_ALERT:
        return encode_alert(e);
    case TOPIC_RESULT:
        return encode_object(e, put_result);
    case TOPIC_SERVICE_HEALTH:
        return encode_object(e, put_health);
    default:
        snprintf(e->error, e->error_size, "messages of this kind are not stored");
        return -ENOENT;
    }
}

int encode_message(struct lines *lines, const char *root, const char *topic, const void *payload,
                   size_t size, char *error, size_t error_size)
{
    struct topic parts;
    struct encoding e = {lines, &parts, payload, size, error, error_size};
    size_t n = lines->n, text_size = lines->text.size;
    int result;

    error[0] = '\0';
    if (topic_parse(&parts, root, topic) != 0) {
        snprintf(error, error_size, "the topic is none of the suite's");
        return -ENOENT;
    }
    result = size == 0 ? 0 : encode_kind(&e);
    if (!result && (lines->failed || lines->text.failed))
        result = -ENOMEM;
    if (!result)
        return (int)(lines->n - n);
    lines_truncate(lines, n);
    lines->text.size = text_size;
    return result;
}
