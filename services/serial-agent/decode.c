#include "decode.h"

#include <string.h>

static char *trim(char *text)
{
    char *end;

    text += strspn(text, " \t");
    end = text + strlen(text);
    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    return text;
}

/* As strsep(), but what separates is the whole of `separator`. */
static char *cut(char **rest, const char *separator)
{
    char *token = *rest;
    char *end = token ? strstr(token, separator) : NULL;

    *rest = NULL;
    if (end) {
        *end = '\0';
        *rest = end + strlen(separator);
    }
    return token;
}

static size_t count(const struct decoder *decoder, const struct value *raw)
{
    size_t found = 0;

    for (size_t i = 0; i < decoder->n_fields; i++)
        found += raw[i].type != VALUE_NONE;
    return found;
}

static void keep(const struct decoder *decoder, const char *name, const char *value,
                 struct value *raw)
{
    for (size_t i = 0; i < decoder->n_fields; i++)
        if (strcmp(decoder->fields[i], name) == 0)
            raw[i] = value_text(value);
}

static size_t decode_pairs(const struct decoder *decoder, const char *line, struct value *raw,
                           char *scratch)
{
    char *rest = strcpy(scratch, line);
    char *pair;

    while ((pair = cut(&rest, decoder->separator)) != NULL) {
        char *value = pair;
        char *name = cut(&value, decoder->assign);

        if (value)
            keep(decoder, trim(name), trim(value), raw);
    }
    return count(decoder, raw);
}

static size_t decode_csv(const struct decoder *decoder, const char *line, struct value *raw,
                         char *scratch)
{
    char *rest = strcpy(scratch, line);
    char *column;
    unsigned position = 0;

    while ((column = cut(&rest, decoder->separator)) != NULL) {
        column = trim(column);
        position++;
        for (size_t i = 0; i < decoder->n_fields; i++)
            if (decoder->positions[i] == position)
                raw[i] = value_text(column);
    }
    for (size_t i = 0; i < decoder->n_fields; i++)
        if (decoder->positions[i] > position)
            return 0;
    return count(decoder, raw);
}

static size_t decode_pattern(const struct decoder *decoder, const char *line, struct value *raw,
                             char *scratch)
{
    if (!pattern_match(decoder->pattern, line))
        return 0;
    for (size_t i = 0; i < decoder->n_fields; i++) {
        const char *at;
        long length = pattern_capture(decoder->pattern, decoder->positions[i], &at);

        if (length < 0)
            continue;
        memcpy(scratch, at, (size_t)length);
        scratch[length] = '\0';
        raw[i] = value_text(scratch);
        scratch += length + 1;
    }
    return count(decoder, raw);
}

size_t decode(const struct decoder *decoder, const char *line, struct value *raw, char *scratch)
{
    size_t prefix = strlen(decoder->prefix);

    memset(raw, 0, decoder->n_fields * sizeof *raw);
    if (strncmp(line, decoder->prefix, prefix) != 0)
        return 0;
    line += prefix;
    switch (decoder->format) {
    case DECODE_PAIRS:
        return decode_pairs(decoder, line, raw, scratch);
    case DECODE_JSON:
        return decode_json(decoder, line, raw, scratch);
    case DECODE_CSV:
        return decode_csv(decoder, line, raw, scratch);
    case DECODE_PATTERN:
        return decode_pattern(decoder, line, raw, scratch);
    }
    return 0;
}
