#include "dead_fix.h"

#include "number.h"
#include "reading.h"

#include <errno.h>
#include <string.h>

struct fixing {
    const struct dead_fix *fix;
    struct buffer *out;
    struct reading fixed;
    size_t n;
    bool changed;
    bool failed;
};

static bool take_name(const char *text, size_t length, char out[TOPIC_NAME_SIZE])
{
    if (length == 0 || length >= TOPIC_NAME_SIZE)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return topic_name_valid(out);
}

bool dead_fix_parse_pair(const char *text, char from[TOPIC_NAME_SIZE], char to[TOPIC_NAME_SIZE])
{
    const char *equals = strchr(text, '=');

    return equals && take_name(text, (size_t)(equals - text), from) &&
           take_name(equals + 1, strlen(equals + 1), to);
}

bool dead_fix_parse_value(const char *text, char name[TOPIC_NAME_SIZE], struct value *out)
{
    const char *equals = strchr(text, '=');
    double number;

    if (!equals || !take_name(text, (size_t)(equals - text), name))
        return false;
    text = equals + 1;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        *out = value_bool(text[0] == 't');
    else if (number_parse(text, strlen(text), &number) == 0)
        *out = value_number(number);
    else
        *out = value_text(text);
    return true;
}

static int put_field(struct fixing *fixing, const struct reading_field *field)
{
    const struct dead_fix *fix = fixing->fix;
    struct reading_field out = *field;

    if (strcmp(field->name, fix->drop_field) == 0) {
        fixing->changed = true;
        return 0;
    }
    if (strcmp(field->name, fix->set_field) == 0) {
        out.value = fix->set_value;
        fixing->changed = true;
    }
    if (strcmp(field->name, fix->rename_field) == 0) {
        out.name = fix->field_name;
        fixing->changed = true;
    }
    if (reading_find(&fixing->fixed, out.name)) /* the new name is taken: the letter stays */
        return -EEXIST;
    return reading_add(&fixing->fixed, out.name, out.value);
}

static void on_reading(void *self, const struct reading *reading)
{
    struct fixing *fixing = self;
    int error = 0;

    reading_reset(&fixing->fixed, reading->ts_ms, reading->seq);
    for (size_t i = 0; i < reading->n_fields && !error; i++)
        error = put_field(fixing, &reading->fields[i]);
    for (size_t i = 0; i < reading->n_faults && !error; i++)
        error =
            reading_add_fault(&fixing->fixed, reading->faults[i].name, reading->faults[i].reason);
    if (fixing->n++ > 0)
        buffer_char(fixing->out, ',');
    if (error || reading_encode(&fixing->fixed, fixing->out) != 0)
        fixing->failed = true;
}

static int fix_payload(struct fixing *fixing, const struct buffer *payload)
{
    const char *text = buffer_string(payload);
    bool array = text[strspn(text, " \t\r\n")] == '[';
    char error[160];
    int result;

    if (array)
        buffer_char(fixing->out, '[');
    result = reading_decode(payload->data, payload->size, on_reading, fixing, error, sizeof(error));
    if (array)
        buffer_char(fixing->out, ']');
    reading_free(&fixing->fixed);
    if (fixing->out->failed)
        return -ENOMEM;
    return result || fixing->failed ? -EBADMSG : 0;
}

int dead_fix_apply(const struct dead_fix *fix, const char *root, const char *topic,
                   const struct buffer *payload, struct buffer *topic_out,
                   struct buffer *payload_out)
{
    struct fixing fixing = {.fix = fix, .out = payload_out};
    struct topic parts;
    char text[TOPIC_SIZE];
    int error;

    if ((fix->only && !topic_matches(fix->only, topic)) || topic_parse(&parts, root, topic) != 0 ||
        parts.kind != TOPIC_TELEMETRY)
        return 0;
    if (strcmp(parts.name, fix->rename_measurement) == 0) {
        strcpy(parts.name, fix->measurement_name);
        fixing.changed = true;
    }
    error = fix_payload(&fixing, payload);
    if (error)
        return error == -ENOMEM ? error : 0;
    if (!fixing.changed || topic_format(text, root, &parts) != 0)
        return 0;
    buffer_text(topic_out, text);
    return topic_out->failed ? -ENOMEM : 1;
}
