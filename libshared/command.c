#include "command.h"

#include "jsonr.h"
#include "jsonw.h"
#include "number.h"
#include "utf8.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static int fail(char *error, size_t error_size, const char *sentence)
{
    snprintf(error, error_size, "%s", sentence);
    return -EBADMSG;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool has_control_character(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return true;
    return false;
}

/* Keeps a value, its text in the command's own memory. */
static int keep_value(struct command *out, struct value value, char *error, size_t error_size)
{
    if (value.type == VALUE_TEXT) {
        size_t length = strlen(value.text);

        if (length == 0 || length >= sizeof out->text)
            return fail(error, error_size, "value: a text of 1 to 255 bytes is expected");
        if (has_control_character(value.text, length))
            return fail(error, error_size, "value: a text without control characters is expected");
        memcpy(out->text, value.text, length + 1);
        value.text = out->text;
    }
    out->value = value;
    return 0;
}

static int read_label(const struct jsonr *in, const char *key, char *out, size_t size)
{
    const char *text = NULL;
    int error = jsonr_text(in, key, JSONR_OPTIONAL, &text);

    if (error || !text)
        return error;
    if (text[0] == '\0' || strlen(text) >= size || has_control_character(text, strlen(text)))
        return jsonr_fail(
            in, key, "a text of 1 to %zu bytes without control characters is expected", size - 1);
    strcpy(out, text);
    return 0;
}

static int read_object(struct command *out, struct json_object *tree, char *error,
                       size_t error_size)
{
    struct jsonr in = {tree, "", error, error_size};
    struct value value = {.type = VALUE_NONE};
    int result = jsonr_value(&in, "value", JSONR_REQUIRED, &value);

    if (!result)
        result = keep_value(out, value, error, error_size);
    if (!result)
        result = read_label(&in, "id", out->id, sizeof out->id);
    if (!result)
        result = read_label(&in, "source", out->source, sizeof out->source);
    if (!result)
        result = jsonr_integer(&in, "ts", JSONR_OPTIONAL, &out->ts_ms);
    if (!result)
        result = jsonr_integer(&in, "ttl_ms", JSONR_OPTIONAL, &out->ttl_ms);
    return result;
}

/* What begins like JSON must be JSON: an object, or a text in quotes. */
static int read_json(struct command *out, const char *text, size_t size, char *error,
                     size_t error_size)
{
    struct json_object *tree;
    int result = jsonr_parse(&tree, text, size, error, error_size);

    if (result)
        return result;
    if (json_object_is_type(tree, json_type_object))
        result = read_object(out, tree, error, error_size);
    else if (json_object_is_type(tree, json_type_string))
        result = keep_value(out, jsonr_scalar(tree), error, error_size);
    else
        result = fail(error, error_size, "a value or an object with \"value\" is expected");
    jsonr_free(tree);
    return result;
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

static int read_bare(struct command *out, const char *text, size_t size, char *error,
                     size_t error_size)
{
    double number;
    int result;

    if (is_word(text, size, "true") || is_word(text, size, "false")) {
        out->value = value_bool(text[0] == 't');
        return 0;
    }
    if (is_word(text, size, "null"))
        return fail(error, error_size, "null is no value");
    result = number_parse(text, size, &number);
    if (result == -ERANGE)
        return fail(error, error_size, "a finite number is expected");
    if (result == 0) {
        out->value = value_number(number);
        return 0;
    }
    if (size >= sizeof out->text)
        return fail(error, error_size, "a text of at most 255 bytes is expected");
    if (has_control_character(text, size) || !utf8_valid(text, size))
        return fail(error, error_size, "a text in UTF-8 without control characters is expected");
    memcpy(out->text, text, size);
    out->value = value_text(out->text);
    return 0;
}

int command_decode(struct command *out, const void *payload, size_t size, char *error,
                   size_t error_size)
{
    const char *text = payload;

    memset(out, 0, sizeof *out);
    while (size > 0 && is_space(text[0])) {
        text++;
        size--;
    }
    while (size > 0 && is_space(text[size - 1]))
        size--;
    if (size == 0)
        return fail(error, error_size, "empty: a value or an object with \"value\" is expected");
    if (text[0] == '{' || text[0] == '[' || text[0] == '"')
        return read_json(out, text, size, error, error_size);
    return read_bare(out, text, size, error, error_size);
}

void command_copy(struct command *out, const struct command *from)
{
    *out = *from;
    if (from->value.type == VALUE_TEXT && from->value.text == from->text)
        out->value.text = out->text;
}

int command_encode(const struct command *command, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_value(&w, "value", &command->value);
    if (command->id[0])
        jsonw_text(&w, "id", command->id);
    if (command->ttl_ms)
        jsonw_integer(&w, "ttl_ms", command->ttl_ms);
    if (command->ts_ms)
        jsonw_integer(&w, "ts", command->ts_ms);
    if (command->source[0])
        jsonw_text(&w, "source", command->source);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}
