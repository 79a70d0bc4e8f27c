#include "capture.h"

#include "capture_line.h"
#include "jsonr.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_SIZE 256

struct reader {
    const struct capture *capture;
    capture_fn *on_message;
    void *self;
    size_t line;
    int64_t time_ms;
    struct buffer payload;
};

static int bad_line(const struct reader *reader, const char *what)
{
    fprintf(reader->capture->errors, "%s:%zu: %s\n", reader->capture->name, reader->line, what);
    return -EBADMSG;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static int read_hex(const struct jsonr *in, const char *hex, struct buffer *out)
{
    for (; *hex; hex += 2) {
        int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);

        if (low < 0)
            return jsonr_fail(in, "hex", "expected pairs of 0-9 and a-f");
        buffer_char(out, (char)(high << 4 | low));
    }
    return 0;
}

static int read_payload(const struct jsonr *in, struct buffer *out)
{
    struct json_object *payload;
    const char *hex = NULL, *text;
    size_t size;

    buffer_clear(out);
    int rc = jsonr_text(in, "hex", JSONR_OPTIONAL, &hex);
    if (rc == 0 && hex)
        rc = read_hex(in, hex, out);
    if (rc < 0 || hex)
        return rc < 0 || !out->failed ? rc : -ENOMEM;
    if (!json_object_object_get_ex(in->object, "payload", &payload))
        return jsonr_fail(in, "payload", "is missing");
    if (json_object_is_type(payload, json_type_string)) {
        text = json_object_get_string(payload);
        size = (size_t)json_object_get_string_len(payload);
    } else {
        text = json_object_to_json_string_length(payload, JSON_C_TO_STRING_PLAIN, &size);
    }
    buffer_append(out, text, size);
    return out->failed ? -ENOMEM : 0;
}

static int take_payload(struct reader *reader, const struct jsonr *in, struct capture_message *out)
{
    int rc = read_payload(in, &reader->payload);

    if (rc == -EBADMSG)
        return bad_line(reader, in->error);
    out->payload = buffer_string(&reader->payload);
    out->size = reader->payload.size;
    return rc;
}

static int read_object(struct reader *reader, const struct jsonr *in, struct capture_message *out)
{
    struct value retained = value_bool(false);
    int rc = jsonr_integer(in, "t", JSONR_REQUIRED, &out->time_ms);

    if (rc == 0)
        rc = jsonr_text(in, "topic", JSONR_OPTIONAL, &out->topic);
    if (rc == 0)
        rc = jsonr_value(in, "retained", JSONR_OPTIONAL, &retained);
    if (rc < 0)
        return bad_line(reader, in->error);
    if (retained.type != VALUE_BOOL)
        return bad_line(reader, "retained: expected true or false");
    if (out->time_ms < reader->time_ms)
        return bad_line(reader, "t: is before the line above");
    out->retained = retained.boolean;
    return out->topic ? take_payload(reader, in, out) : 0;
}

/* Nearly all that there is, without a tree of the whole line. False where the line is not that
 * plain or of no use: read_line() will tell. */
static bool read_plain(struct reader *reader, const char *line, size_t size, int *rc)
{
    char error[ERROR_SIZE] = "";
    struct capture_line in;

    if (!capture_line_split(&in, line, size) || in.time_ms < reader->time_ms || in.size == 0 ||
        !strchr("{[", in.payload[0]))
        return false;
    struct capture_message message = {in.time_ms, in.topic, in.payload, in.size, in.retained};
    *rc = reader->on_message(reader->self, &message, error, sizeof error);
    if (*rc == -EBADMSG)
        return false;
    reader->time_ms = in.time_ms;
    return true;
}

static int read_line(struct reader *reader, const char *line, size_t size)
{
    char error[ERROR_SIZE] = "";
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof error};
    struct capture_message message = {0};
    int rc = 0;

    reader->line++;
    if (read_plain(reader, line, size, &rc) || strspn(line, " \t\r\n") == size)
        return rc;
    rc = jsonr_parse_object(&in, line, size);
    if (rc < 0)
        return rc == -EBADMSG ? bad_line(reader, error) : rc;
    rc = read_object(reader, &in, &message);
    if (rc == 0) {
        reader->time_ms = message.time_ms;
        rc = reader->on_message(reader->self, &message, error, sizeof error);
        if (rc == -EBADMSG) { /* as a broker might bring it */
            bad_line(reader, error);
            rc = 0;
        }
    }
    jsonr_free(in.object);
    return rc;
}

int capture_run(const struct capture *capture, capture_fn *on_message, void *self)
{
    struct reader reader = {.capture = capture, .on_message = on_message, .self = self};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int rc = 0;

    while (rc == 0 && (size = getline(&line, &capacity, capture->file)) >= 0) {
        rc = read_line(&reader, line, (size_t)size);
        if (rc == 0 && capture->on_line)
            rc = capture->on_line(capture->self);
    }
    if (rc == 0 && ferror(capture->file))
        rc = -EIO;
    free(line);
    buffer_free(&reader.payload);
    return rc;
}
