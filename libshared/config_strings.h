/* A list of texts that grows; a failed allocation is remembered, as in buffer.h. */
#ifndef CONFIG_STRINGS_H
#define CONFIG_STRINGS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct config_strings { /* starts as `= {0}` */
    char **items;       /* owned, and each of them */
    size_t n;
    bool failed;
};

/* Takes ownership of `text`; NULL is a failed allocation. Returns it, or NULL on failure. */
char *config_strings_add(struct config_strings *strings, char *text);

/* Adds "where: text" as one line: control characters become '?'. */
void config_strings_format(struct config_strings *strings, const char *where, const char *format,
                           va_list arguments) __attribute__((format(printf, 3, 0)));

void config_strings_free(struct config_strings *strings); /* wipes them first: some are secrets */

#endif
