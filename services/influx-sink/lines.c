#include "lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Measurements escape comma and space, keys and tag values '=' too. A backslash is itself, but the
 * last one would escape the separator that follows, and the protocol has no way to say otherwise.
 */
static void put_escaped(struct buffer *out, const char *text, const char *special)
{
    size_t length;

    while (*text) {
        length = strcspn(text, special);
        buffer_append(out, text, length);
        text += length;
        if (!*text)
            break;
        if (*text == '\n' || *text == '\r') {
            buffer_text(out, "\\ ");
        } else {
            buffer_char(out, '\\');
            buffer_char(out, *text);
        }
        text++;
    }
    if (out->size > 0 && out->data[out->size - 1] == '\\')
        buffer_char(out, '_');
}

static void put_quoted(struct buffer *out, const char *text)
{
    buffer_char(out, '"');
    while (*text) {
        size_t length = strcspn(text, "\"\\\n\r");

        buffer_append(out, text, length);
        text += length;
        if (*text == '\n' || *text == '\r')
            buffer_char(out, ' ');
        else if (*text)
            buffer_append(out, (char[]){'\\', *text}, 2);
        text += *text != '\0';
    }
    buffer_char(out, '"');
}

void lines_begin(struct lines *lines, const char *measurement)
{
    lines->line = lines->text.size;
    lines->n_fields = 0;
    put_escaped(&lines->text, measurement, ", \n\r");
}

void lines_tag(struct lines *lines, const char *key, const char *value)
{
    if (!*value)
        return;
    buffer_char(&lines->text, ',');
    put_escaped(&lines->text, key, ",= \n\r");
    buffer_char(&lines->text, '=');
    put_escaped(&lines->text, value, ",= \n\r");
}

void lines_begin_again(struct lines *lines)
{
    size_t before = lines->line;

    lines->line = lines->text.size;
    lines->n_fields = 0;
    buffer_repeat(&lines->text, before, lines->head);
}

static void begin_field(struct lines *lines)
{
    if (lines->n_fields == 0)
        lines->head = lines->text.size - lines->line;
    buffer_char(&lines->text, lines->n_fields++ == 0 ? ' ' : ',');
}

static void put_key(struct lines *lines, const char *key)
{
    begin_field(lines);
    lines->key.offset = lines->text.size;
    put_escaped(&lines->text, key, ",= \n\r");
    buffer_char(&lines->text, '=');
    lines->key.size = lines->text.size - lines->key.offset;
}

void lines_field(struct lines *lines, const char *key, const struct value *value)
{
    struct buffer *text = &lines->text;

    if (value->type == VALUE_NONE || (value->type == VALUE_NUMBER && !isfinite(value->number)))
        return;
    put_key(lines, key);
    if (value->type == VALUE_NUMBER)
        buffer_number(text, value->number);
    else if (value->type == VALUE_BOOL)
        buffer_text(text, value->boolean ? "true" : "false");
    else
        put_quoted(text, value->text);
}

void lines_number(struct lines *lines, const char *key, double number)
{
    struct value value = value_number(number);

    lines_field(lines, key, &value);
}

void lines_number_again(struct lines *lines, const struct lines_key *key, double number)
{
    begin_field(lines);
    buffer_repeat(&lines->text, key->offset, key->size);
    buffer_number(&lines->text, number);
}

void lines_integer(struct lines *lines, const char *key, int64_t number)
{
    put_key(lines, key);
    buffer_format(&lines->text, "%lldi", (long long)number);
}

void lines_text(struct lines *lines, const char *key, const char *text)
{
    struct value value = value_text(text);

    if (text)
        lines_field(lines, key, &value);
}

static void lines_cut(struct lines *lines, size_t size)
{
    lines->text.size = size;
    if (lines->text.data)
        lines->text.data[size] = '\0';
}

static bool lines_grow(struct lines *lines)
{
    size_t capacity = lines->capacity ? lines->capacity * 2 : 256;
    size_t *starts;

    if (lines->n < lines->capacity)
        return true;
    starts = realloc(lines->starts, capacity * sizeof(*starts));
    if (!starts)
        return false;
    lines->starts = starts;
    lines->capacity = capacity;
    return true;
}

/* printf() would take a fifth of the time that a line takes. */
static void put_time(struct buffer *out, int64_t ts_ms)
{
    char text[24], *at = text + sizeof(text);
    uint64_t rest = ts_ms < 0 ? 0 - (uint64_t)ts_ms : (uint64_t)ts_ms;

    *--at = '\n';
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (ts_ms < 0)
        *--at = '-';
    *--at = ' ';
    buffer_append(out, at, (size_t)(text + sizeof(text) - at));
}

bool lines_end(struct lines *lines, int64_t ts_ms)
{
    if (lines->n_fields == 0) {
        lines_cut(lines, lines->line);
        return false;
    }
    put_time(&lines->text, ts_ms);
    if (lines->text.failed || !lines_grow(lines)) {
        lines->failed = true;
        return false;
    }
    lines->starts[lines->n++] = lines->line;
    return true;
}

void lines_truncate(struct lines *lines, size_t n)
{
    if (n < lines->n)
        lines_cut(lines, lines->starts[n]);
    if (n < lines->n)
        lines->n = n;
}

void lines_clear(struct lines *lines)
{
    buffer_clear(&lines->text);
    lines->n = 0;
    lines->failed = false;
}

void lines_free(struct lines *lines)
{
    buffer_free(&lines->text);
    free(lines->starts);
    *lines = (struct lines){0};
}

const char *lines_range(const struct lines *lines, size_t from, size_t to, size_t *size)
{
    size_t end = to < lines->n ? lines->starts[to] : lines->text.size;

    *size = end - lines->starts[from];
    return lines->text.data + lines->starts[from];
}
