#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_NONE:
        return true;
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_NUMBER:
        return a->number == b->number;
    case VALUE_TEXT:
        return strcmp(a->text, b->text) == 0;
    }
    return false;
}

int value_copy(struct value *out, const struct value *from)
{
    struct value copy = *from;
    if (from->type == VALUE_TEXT) {
        copy.text = strdup(from->text);
        if (!copy.text) {
            *out = (struct value){.type = VALUE_NONE};
            return -ENOMEM;
        }
    }
    *out = copy;
    return 0;
}

void value_free(struct value *value)
{
    if (value->type == VALUE_TEXT)
        free((char *)value->text);
    *value = (struct value){.type = VALUE_NONE};
}
