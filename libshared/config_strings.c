#include "config_strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *config_strings_add(struct config_strings *strings, char *text)
{
    char **items = text ? reallocarray(strings->items, strings->n + 1, sizeof *items) : NULL;
    if (!items) {
        free(text);
        strings->failed = true;
        return NULL;
    }
    strings->items = items;
    return items[strings->n++] = text;
}

void config_strings_format(struct config_strings *strings, const char *where, const char *format,
                           va_list arguments)
{
    char *text = NULL;
    char *line = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    if (!text || asprintf(&line, "%s: %s", where, text) < 0)
        line = NULL;
    free(text);
    for (char *c = line; c && *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    config_strings_add(strings, line);
}

void config_strings_free(struct config_strings *strings)
{
    for (size_t i = 0; i < strings->n; i++) {
        explicit_bzero(strings->items[i], strlen(strings->items[i]));
        free(strings->items[i]);
    }
    free(strings->items);
    *strings = (struct config_strings){0};
}
