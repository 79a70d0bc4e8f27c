#include "boolean.h"

#include <errno.h>
#include <stddef.h>
#include <strings.h>

static int read_text(const char *text, bool *out)
{
    static const struct {
        const char *word;
        bool means;
    } words[] = {{"on", true},     {"off", false}, {"true", true},
                 {"false", false}, {"1", true},    {"0", false}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i].word) == 0) {
            *out = words[i].means;
            return 0;
        }
    return -EINVAL;
}

int boolean_read(const struct value *from, bool *out)
{
    switch (from->type) {
    case VALUE_BOOL:
        *out = from->boolean;
        return 0;
    case VALUE_NUMBER:
        if (from->number != 0 && from->number != 1)
            return -EINVAL;
        *out = from->number == 1;
        return 0;
    case VALUE_TEXT:
        return read_text(from->text, out);
    case VALUE_NONE:
        break;
    }
    return -EINVAL;
}
