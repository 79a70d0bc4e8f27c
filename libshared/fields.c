#include "fields.h"

#include "config_suggest.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_SIZE 160

int fields_add(struct fields *fields, const char *measurement, const char *name)
{
    struct field_name *grown = realloc(fields->items, (fields->n + 1) * sizeof *grown);

    if (!grown)
        return -ENOMEM;
    fields->items = grown;
    grown[fields->n++] = (struct field_name){measurement, name};
    return 0;
}

void fields_free(struct fields *fields)
{
    free(fields->items);
    *fields = (struct fields){0};
}

static bool has(const struct fields *fields, const char *measurement, const char *name)
{
    for (size_t i = 0; i < fields->n; i++)
        if (strcmp(fields->items[i].name, name) == 0 &&
            (measurement[0] == '\0' || strcmp(fields->items[i].measurement, measurement) == 0))
            return true;
    return false;
}

/* The name that the word is likely to be a slip for; NULL where none is. */
static const char *nearest(const struct fields *fields, const char *word)
{
    unsigned least = UINT_MAX;
    const char *name = NULL;

    for (size_t i = 0; i < fields->n; i++) {
        unsigned distance = config_edit_distance(word, fields->items[i].name);

        if (distance < least) {
            least = distance;
            name = fields->items[i].name;
        }
    }
    return name && config_likely_slip(word, least) ? name : NULL;
}

/* As many as there is room for. */
static void list(const struct fields *fields, char out[LIST_SIZE])
{
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < fields->n; i++) {
        const struct field_name *field = &fields->items[i];
        int added = snprintf(out + length, LIST_SIZE - length, "%s%s.%s", i ? ", " : "",
                             field->measurement, field->name);

        if (added < 0 || length + (size_t)added >= LIST_SIZE - sizeof ", …") {
            strcpy(out + length, ", …");
            return;
        }
        length += (size_t)added;
    }
}

void fields_require(const struct fields *fields, const char *measurement, const char *name,
                    struct config_node *node, const char *key)
{
    const char *meant = nearest(fields, name);
    const char *dot = measurement[0] ? "." : "";
    char all[LIST_SIZE];

    if (has(fields, measurement, name))
        return;
    if (meant && strcmp(meant, name) != 0) {
        config_problem(node, key, "reads %s%s%s, which this device does not have; is \"%s\" meant?",
                       measurement, dot, name, meant);
        return;
    }
    list(fields, all);
    config_problem(node, key, "reads %s%s%s, which this device does not have; it has %s",
                   measurement, dot, name, fields->n ? all : "nothing that is read");
}
