#include "encode.h"

#include "alert.h"
#include "coerce.h"
#include "encode_series.h"
#include "jsonr.h"
#include "reading.h"
#include "topic.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 16

/* A number of one name went into the text with this key, as a float. */
struct column {
    const char *name; /* borrowed from the message's readings; NULL: it did not */
    struct lines_key key;
};

struct encoding {
    const struct encoder *encoder;
    const struct message *message;
    struct lines *lines;
    struct encode_notes *notes;
    const char *below_root; /* the topic without it */
    struct topic topic;
    struct mapped mapped;
    bool again; /* the last line of `lines` is a reading of the same message */
    struct column columns[COLUMNS_MAX]; /* of that message's readings, by the place in them */
};

__attribute__((format(printf, 3, 4))) static void note_fault(struct encoding *e, const char *reason,
                                                             const char *format, ...)
{
    va_list arguments;

    if (e->notes->n_faults++ > 0)
        return;
    e->notes->reason = reason;
    va_start(arguments, format);
    vsnprintf(e->notes->detail, sizeof(e->notes->detail), format, arguments);
    va_end(arguments);
}

static bool in_window(struct encoding *e, int64_t ts_ms)
{
    const struct encoder *encoder = e->encoder;
    int64_t late_ms = e->message->received_ms - ts_ms;

    if (encoder->past_ms > 0 && late_ms > encoder->past_ms)
        note_fault(
            e, "out_of_window", "ts %lld is %lld s before the message came; %lld s are allowed",
            (long long)ts_ms, (long long)(late_ms / 1000), (long long)(encoder->past_ms / 1000));
    else if (encoder->future_ms > 0 && -late_ms > encoder->future_ms)
        note_fault(e, "out_of_window",
                   "ts %lld is %lld s after the message came; %lld s are allowed", (long long)ts_ms,
                   (long long)(-late_ms / 1000), (long long)(encoder->future_ms / 1000));
    else
        return true;
    return false;
}

/* Tags in the order of their keys: the usual ones, and between them what the mapping adds. */
static void put_tags(struct encoding *e, const struct mapping_pair *usual, size_t n_usual)
{
    const struct mapped *mapped = &e->mapped;

    for (size_t i = 0, j = 0; i < n_usual || j < mapped->n_tags;) {
        const struct mapping_pair *tag;

        if (j == mapped->n_tags || (i < n_usual && strcmp(usual[i].from, mapped->tags[j].from) < 0))
            tag = &usual[i++];
        else
            tag = &mapped->tags[j++];
        lines_tag(e->lines, tag->from, tag->to);
    }
}

/* False where there is to be no such point. `extra` is the tag that has the topic's last level. */
static bool begin(struct encoding *e, const char *measurement, const char *extra, int64_t ts_ms)
{
    const struct topic *topic = &e->topic;
    bool is_service = topic->kind == TOPIC_SERVICE_HEALTH;
    struct mapping_pair tags[3] = {
        {"device_id", is_service ? topic->name : topic->device},
        {"location", is_service ? "_service" : topic->location},
    };
    size_t n = 2;

    if (!in_window(e, ts_ms))
        return false;
    if (extra && strcmp(extra, tags[0].from) < 0) {
        memmove(tags + 1, tags, n * sizeof(*tags));
        tags[0] = (struct mapping_pair){extra, topic->name};
        n++;
    } else if (extra) {
        tags[n++] = (struct mapping_pair){extra, topic->name};
    }
    mapping_apply(e->encoder->mapping, e->below_root, measurement, &e->mapped);
    lines_begin(e->lines, e->mapped.measurement);
    put_tags(e, tags, n);
    return true;
}

static enum field_type type_of(struct encoding *e, const char *key, const struct value *value)
{
    const char *measurement = e->mapped.measurement;
    enum field_type type = FIELD_FLOAT;

    if (field_types_find(e->encoder->types, measurement, key, &type))
        return type;
    if (value->type == VALUE_TEXT)
        type = FIELD_TEXT;
    else if (mapping_is_integer(e->encoder->mapping, measurement, key))
        type = FIELD_INTEGER;
    else if (value->type == VALUE_BOOL)
        type = FIELD_BOOLEAN;
    field_types_set(e->encoder->types, measurement, key, type);
    return type;
}

/* Returns the type of the field. */
static enum field_type put(struct encoding *e, const char *name, const struct value *value)
{
    static const char *const kinds[] = {
        [VALUE_BOOL] = "boolean", [VALUE_NUMBER] = "number", [VALUE_TEXT] = "text"};
    const char *key = mapped_field(&e->mapped, name);
    enum coerce_result result;
    enum field_type type = FIELD_FLOAT;

    if (value->type == VALUE_NONE)
        return type;
    type = type_of(e, key, value);
    result = coerce_field(e->lines, key, value, type);
    e->notes->coerced += result == COERCE_DONE;
    e->notes->rounded += result == COERCE_ROUNDED;
    if (result == COERCE_FAILED)
        note_fault(e, "type_conflict",
                   "field \"%.64s\" of \"%.64s\" is of type %s: a %s does not fit", key,
                   e->mapped.measurement, field_type_name(type), kinds[value->type]);
    return type;
}

static void put_number(struct encoding *e, const char *name, double number)
{
    struct value value = value_number(number);

    put(e, name, &value);
}

static void put_text(struct encoding *e, const char *name, const char *text)
{
    struct value value = value_text(text);

    if (text)
        put(e, name, &value);
}

/* Of any type; see encode.h. */
static void put_any(struct encoding *e, const char *number, const char *text,
                    const struct value *value)
{
    if (value->type == VALUE_TEXT)
        put_text(e, text, value->text);
    else if (value->type == VALUE_BOOL)
        put_number(e, number, value->boolean);
    else
        put(e, number, value);
}

/* What is before the fields is the same for all readings of a message. */
static bool begin_reading(struct encoding *e, int64_t ts_ms)
{
    if (!e->again)
        return begin(e, e->topic.name, NULL, ts_ms);
    if (!in_window(e, ts_ms))
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
    } else if (put(e, field->name, &field->value) == FIELD_FLOAT &&
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
            put(e, field->name, &field->value);
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

    if (!begin(e, "alert", "rule", alert->since_ms))
        return 0;
    put_text(e, "state", alert_state_name(alert->state));
    put_text(e, "severity", alert_severity_name(alert->severity));
    put_any(e, "value", "text", &alert->value);
    put_text(e, "message", alert->message);
    put_number(e, "episode", (double)alert->episode);
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
    put_any(e, "value", "text", value);
    put_any(e, "previous", "previous_text", previous);
    put_any(e, "wanted", "wanted_text", wanted);
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
    if (!begin(e, "command", "actuator", ts_ms))
        return 0;
    put_text(e, "result", result);
    put_text(e, "reason", reason);
    put_values(e, &value, &previous, &wanted);
    put_text(e, "id", id);
    put_text(e, "source", source);
    put_text(e, "message", message);
    put_number(e, "queued_ms", (double)queued_ms);
    put_number(e, "took_ms", (double)took_ms);
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
        put(e, key, &value);
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
    if (!begin(e, "health", NULL, ts_ms))
        return 0;
    for (int i = 0; i < 3; i++)
        put_number(e, numbers[i], (double)values[i]);
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
