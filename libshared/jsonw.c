#include "jsonw.h"

#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

struct jsonw jsonw_start(struct buffer *out)
{
    return (struct jsonw){.out = out};
}

/* Escapes one byte that may not stand in a string as it is: RFC 8259, section 7. */
static void escape(struct buffer *out, unsigned char c)
{
    switch (c) {
    case '"':
        buffer_text(out, "\\\"");
        break;
    case '\\':
        buffer_text(out, "\\\\");
        break;
    case '\n':
        buffer_text(out, "\\n");
        break;
    case '\r':
        buffer_text(out, "\\r");
        break;
    case '\t':
        buffer_text(out, "\\t");
        break;
    default:
        buffer_format(out, "\\u%04x", c);
    }
}

/* Bytes at the start of `text` that can be copied as they are. */
static size_t plain_run(const char *text, size_t size)
{
    size_t run = 0;

    while (run < size) {
        unsigned char c = (unsigned char)text[run];

        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F)
            break;
        size_t length = utf8_length(text + run, size - run);
        if (length == 0)
            break;
        run += length;
    }
    return run;
}

static void quote(struct buffer *out, const char *text, size_t size)
{
    buffer_char(out, '"');
    while (size > 0) {
        size_t run = plain_run(text, size);

        if (run > 0) {
            buffer_append(out, text, run);
        } else {
            run = 1;
            if ((signed char)text[0] > 0)
                escape(out, (unsigned char)text[0]);
            else
                buffer_text(out, REPLACEMENT);
        }
        text += run;
        size -= run;
    }
    buffer_char(out, '"');
}

static void begin_item(struct jsonw *w, const char *key)
{
    if (w->comma)
        buffer_char(w->out, ',');
    w->comma = true;
    if (key) {
        quote(w->out, key, strlen(key));
        buffer_char(w->out, ':');
    }
}

void jsonw_object_begin(struct jsonw *w, const char *key)
{
    begin_item(w, key);
    buffer_char(w->out, '{');
    w->comma = false;
}

void jsonw_object_end(struct jsonw *w)
{
    buffer_char(w->out, '}');
    w->comma = true;
}

void jsonw_array_begin(struct jsonw *w, const char *key)
{
    begin_item(w, key);
    buffer_char(w->out, '[');
    w->comma = false;
}

void jsonw_array_end(struct jsonw *w)
{
    buffer_char(w->out, ']');
    w->comma = true;
}

void jsonw_null(struct jsonw *w, const char *key)
{
    begin_item(w, key);
    buffer_text(w->out, "null");
}

void jsonw_bool(struct jsonw *w, const char *key, bool value)
{
    begin_item(w, key);
    buffer_text(w->out, value ? "true" : "false");
}

void jsonw_integer(struct jsonw *w, const char *key, int64_t value)
{
    begin_item(w, key);
    buffer_format(w->out, "%" PRId64, value);
}

void jsonw_unsigned(struct jsonw *w, const char *key, uint64_t value)
{
    begin_item(w, key);
    buffer_format(w->out, "%" PRIu64, value);
}

void jsonw_number(struct jsonw *w, const char *key, double value)
{
    if (!isfinite(value)) {
        jsonw_null(w, key);
        return;
    }
    begin_item(w, key);
    buffer_number(w->out, value);
}

void jsonw_bytes(struct jsonw *w, const char *key, const void *bytes, size_t size)
{
    begin_item(w, key);
    quote(w->out, bytes, size);
}

void jsonw_text(struct jsonw *w, const char *key, const char *text)
{
    if (text)
        jsonw_bytes(w, key, text, strlen(text));
    else
        jsonw_null(w, key);
}

void jsonw_value(struct jsonw *w, const char *key, const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL:
        jsonw_bool(w, key, value->boolean);
        break;
    case VALUE_NUMBER:
        jsonw_number(w, key, value->number);
        break;
    case VALUE_TEXT:
        jsonw_text(w, key, value->text);
        break;
    default:
        jsonw_null(w, key);
    }
}
