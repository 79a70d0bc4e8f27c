#include "encode_point.h"

#include "coerce.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

bool encode_in_window(struct encoding *e, int64_t ts_ms)
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

bool encode_begin(struct encoding *e, const char *measurement, const char *extra, int64_t ts_ms)
{
    const struct topic *topic = &e->topic;
    bool is_service = topic->kind == TOPIC_SERVICE_HEALTH;
    struct mapping_pair tags[3] = {
        {"device_id", is_service ? topic->name : topic->device},
        {"location", is_service ? "_service" : topic->location},
    };
    size_t n = 2;

    if (!encode_in_window(e, ts_ms))
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

enum field_type encode_put(struct encoding *e, const char *name, const struct value *value)
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

void encode_put_number(struct encoding *e, const char *name, double number)
{
    struct value value = value_number(number);

    encode_put(e, name, &value);
}

void encode_put_text(struct encoding *e, const char *name, const char *text)
{
    struct value value = value_text(text);

    if (text)
        encode_put(e, name, &value);
}

void encode_put_any(struct encoding *e, const char *number, const char *text,
                    const struct value *value)
{
    if (value->type == VALUE_TEXT)
        encode_put_text(e, text, value->text);
    else if (value->type == VALUE_BOOL)
        encode_put_number(e, number, value->boolean);
    else
        encode_put(e, number, value);
}
