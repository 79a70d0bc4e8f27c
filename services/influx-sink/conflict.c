#include "conflict.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 256 /* bytes; a longer name is not learnt */

/* The name in quotes after `before`; inside JSON the quotes have a backslash. Returns what follows
 * it, NULL where there is none. */
static const char *take_name(const char *text, const char *before, char out[NAME_SIZE])
{
    const char *name = strstr(text, before);
    size_t length;

    if (!name)
        return NULL;
    name += strlen(before);
    name += strspn(name, "\\\"");
    length = strcspn(name, "\\\"");
    if (length == 0 || length >= NAME_SIZE || !name[length])
        return NULL;
    memcpy(out, name, length);
    out[length] = '\0';
    return name + length;
}

bool conflict_learn(struct field_types *types, const char *words)
{
    static const char begin[] = "field type conflict: ", last[] = "already exists as type ";
    char field[NAME_SIZE], measurement[NAME_SIZE], name[16];
    enum field_type type, known;

    words = strstr(words, begin);
    words = words ? take_name(words, "input field ", field) : NULL;
    words = words ? take_name(words, "on measurement ", measurement) : NULL;
    words = words ? strstr(words, last) : NULL;
    if (!words || sscanf(words + strlen(last), "%15[a-z]", name) != 1 ||
        field_type_parse(&type, name) != 0)
        return false;
    if (field_types_find(types, measurement, field, &known) && known == type)
        return false;
    field_types_set(types, measurement, field, type);
    return true;
}
