#include "encode.h"

#include "alert.h"
#include "encode_point.h"
#include "encode_series.h"
#include "jsonr.h"
#include "reading.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/* What is before the fields is the same for all readings of a message. */
static bool begin_reading(struct encoding *e, int64_t ts_ms)
{
    if (!e->again)
        return encode_begin(e, e->topic.name, NULL, ts_ms);
    if (!encode_in_window(e, ts_ms))
        return false;
    lines_begin_again(e->lines);
    return true;
}

/* In an array most readings have the same fields: what the first one's took to be found and written
 * is used for the others. */
static void put_column(struct encoding *e, size_t place, const struct reading_field *field)
{
    struct column *column = &e->columns[place];

    if (field->value.type == VALUE_NUMBER && column->name == field->name) {
        lines_number_again(e->lines, &column->key, field->value.number);
    } else if (encode_put(e, field->name, &field->value) == FIELD_FLOAT &&
               field->value.type == VALUE_NUMBER) {
        column->name = field->name;
        column->key = e->lines->key;
    }
}

static void put_fields(struct encoding *e, const struct reading *reading)
{
    for (size_t i = 0; i < reading->n_fields; i++) {
        const struct reading_field *field = &reading->fields[i];

        if (i < COLUMNS_MAX)
            put_column(e, i, field);
        else
            encode_put(e, field->name, &field->value);
    }
}

static void on_reading(void *self, const struct reading *reading)
{
    struct encoding *e = self;
    size_t n_faults = e->notes->n_faults;
    bool stored = begin_reading(e, reading->ts_ms);

    if (stored)
        put_fields(e, reading);
    stored = stored && lines_end(e->lines, reading->ts_ms);
    e->again = stored;
    e->notes->n_readings++;
    e->notes->n_dead += !stored && e->notes->n_faults > n_faults;
}

static int encode_telemetry(struct encoding *e)
{
    return reading_decode(e->message->payload, e->message->size, on_reading, e, e->notes->detail,
                          sizeof(e->notes->detail));
}

static int on_alert(void *self, const struct alert *alert)
{
    struct encoding *e = self;

    if (!encode_begin(e, "alert", "rule", alert->since_ms))
        return 0;
    encode_put_text(e, "state", alert_state_name(alert->state));
    encode_put_text(e, "severity", alert_severity_name(alert->severity));
    encode_put_any(e, "value", "text", &alert->value);
    encode_put_text(e, "message", alert->message);
    encode_put_number(e, "episode", (double)alert->episode);
    lines_end(e->lines, alert->since_ms);
    return 0;
}

static int encode_alert(struct encoding *e)
{
    return alert_decode(e->message->payload, e->message->size, on_alert, e, e->notes->detail,
                        sizeof(e->notes->detail));
}

/* A command that came again is answered with the time of the first answer, which its own point must
 * not replace. */
static int64_t time_of_result(const struct encoding *e, const char *reason, int64_t ts_ms)
{
    return reason && strcmp(reason, "duplicate") == 0 ? e->message->received_ms : ts_ms;
}

static void put_values(struct encoding *e, const struct value *value, const struct value *previous,
                       const struct value *wanted)
{
    encode_put_any(e, "value", "text", value);
    encode_put_any(e, "previous", "previous_text", previous);
    encode_put_any(e, "wanted", "wanted_text", wanted);
}

static int put_result(struct encoding *e, const struct jsonr *in)
{
    const char *result = NULL, *reason = NULL, *id = NULL, *source = NULL, *message = NULL;
    int64_t ts_ms = 0, queued_ms = 0, took_ms = 0;
    struct value value = {.type = VALUE_NONE}, previous = value, wanted = value;

    if (jsonr_text(in, "result", JSONR_REQUIRED, &result) != 0 ||
        jsonr_integer(in, "ts", JSONR_REQUIRED, &ts_ms) != 0 ||
        jsonr_text(in, "reason", JSONR_OPTIONAL, &reason) != 0 ||
        jsonr_text(in, "id", JSONR_OPTIONAL, &id) != 0 ||
        jsonr_text(in, "source", JSONR_OPTIONAL, &source) != 0 ||
        jsonr_text(in, "message", JSONR_OPTIONAL, &message) != 0 ||
        jsonr_value(in, "value", JSONR_OPTIONAL, &value) != 0 ||
        jsonr_value(in, "previous", JSONR_OPTIONAL, &previous) != 0 ||
        jsonr_value(in, "wanted", JSONR_OPTIONAL, &wanted) != 0 ||
        jsonr_integer(in, "queued_ms", JSONR_OPTIONAL, &queued_ms) != 0 ||
        jsonr_integer(in, "took_ms", JSONR_OPTIONAL, &took_ms) != 0)
        return -EBADMSG;
    ts_ms = time_of_result(e, reason, ts_ms);
    if (!encode_begin(e, "command", "actuator", ts_ms))
        return 0;
    encode_put_text(e, "result", result);
    encode_put_text(e, "reason", reason);
    put_values(e, &value, &previous, &wanted);
    encode_put_text(e, "id", id);
    encode_put_text(e, "source", source);
    encode_put_text(e, "message", message);
    encode_put_number(e, "queued_ms", (double)queued_ms);
    encode_put_number(e, "took_ms", (double)took_ms);
    lines_end(e->lines, ts_ms);
    return 0;
}

/* "counters": {"received": 3} becomes the field counters.received. */
static void put_members(struct encoding *e, struct json_object *object, const char *group)
{
    char key[160];

    json_object_object_foreach(object, name, node)
    {
        struct value value = jsonr_scalar(node);

        snprintf(key, sizeof(key), "%s.%.128s", group, name);
        encode_put(e, key, &value);
    }
}

static int put_health(struct encoding *e, const struct jsonr *in)
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
    if (!encode_begin(e, "health", NULL, ts_ms))
        return 0;
    for (int i = 0; i < 3; i++)
        encode_put_number(e, numbers[i], (double)values[i]);
    for (int i = 0; i < 3; i++)
        if (objects[i])
            put_members(e, objects[i], groups[i]);
    lines_end(e->lines, ts_ms);
    return encode_series(e->lines, in, ts_ms);
}

typedef int put_object_fn(struct encoding *e, const struct jsonr *in);

static int encode_object(struct encoding *e, put_object_fn *put_object)
{
    struct jsonr in = {
        .path = "", .error = e->notes->detail, .error_size = sizeof(e->notes->detail)};
    int error = jsonr_parse_object(&in, e->message->payload, e->message->size);

    if (error)
        return error;
    error = put_object(e, &in);
    jsonr_free(in.object);
    return error;
}

static int encode_kind(struct encoding *e)
{
    switch (e->topic.kind) {
    case TOPIC_TELEMETRY:
        return encode_telemetry(e);
    case TOPIC_ALERT:
        return encode_alert(e);
    case TOPIC_RESULT:
        return encode_object(e, put_result);
    case TOPIC_SERVICE_HEALTH:
        return encode_object(e, put_health);
    default:
        snprintf(e->notes->detail, sizeof(e->notes->detail),
                 "messages of this kind are not stored");
        return -ENOENT;
    }
}

static int parse_topic(struct encoding *e, char topic[TOPIC_SIZE])
{
    size_t length = e->message->topic_length;

    if (length < TOPIC_SIZE) {
        memcpy(topic, e->message->topic, length);
        topic[length] = '\0';
    }
    if (length >= TOPIC_SIZE || topic_parse(&e->topic, e->encoder->root, topic) != 0) {
        snprintf(e->notes->detail, sizeof(e->notes->detail), "the topic is none of the suite's");
        return -ENOENT;
    }
    e->below_root = topic + strlen(e->encoder->root) + 1;
    e->notes->topic = e->topic;
    return 0;
}

int encode_message(const struct encoder *encoder, const struct message *message,
                   struct lines *lines, struct encode_notes *notes)
{
    struct encoding e = {.encoder = encoder, .message = message, .lines = lines, .notes = notes};
    size_t n = lines->n, text_size = lines->text.size;
    char topic[TOPIC_SIZE];
    int result;

    *notes = (struct encode_notes){0};
    result = parse_topic(&e, topic);
    if (!result && message->size > 0)
        result = encode_kind(&e);
    if (!result && (lines->failed || lines->text.failed))
        result = -ENOMEM;
    if (!result)
        return (int)(lines->n - n);
    lines_truncate(lines, n);
    lines->text.size = text_size;
    return result;
}
