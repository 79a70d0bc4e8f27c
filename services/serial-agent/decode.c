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

static void keep(const char *name, const char *value, const char *const *fields, size_t n_fields,
                 struct value *raw)
{
    for (size_t i = 0; i < n_fields; i++)
        if (strcmp(fields[i], name) == 0)
            raw[i] = value_text(value);
}

size_t decode_pairs(const char *line, const char *const *fields, size_t n_fields, struct value *raw,
                    char *scratch)
{
    char *rest = strcpy(scratch, line);
    char *pair;
    size_t found = 0;

    memset(raw, 0, n_fields * sizeof *raw);
    while ((pair = strsep(&rest, ",")) != NULL) {
        char *value = strchr(pair, ':');

        if (!value)
            continue;
        *value++ = '\0';
        keep(trim(pair), trim(value), fields, n_fields, raw);
    }
    for (size_t i = 0; i < n_fields; i++)
        found += raw[i].type != VALUE_NONE;
    return found;
}
