#include "texts.h"

#include <stdlib.h>
#include <string.h>

static const char *find(const struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->n; i++)
        if (strcmp(texts->items[i], text) == 0)
            return texts->items[i];
    return NULL;
}

static const char *add(struct texts *texts, const char *text)
{
    char **items = realloc(texts->items, (texts->n + 1) * sizeof(*items));
    char *copy = strdup(text);

    if (items)
        texts->items = items;
    if (!items || !copy) {
        texts->failed = true;
        free(copy);
        return NULL;
    }
    return items[texts->n++] = copy;
}

void texts_own(struct texts *texts, const char **text)
{
    const char *known;

    if (!*text)
        return;
    known = find(texts, *text);
    *text = known ? known : add(texts, *text);
}

void texts_own_value(struct texts *texts, struct value *value)
{
    if (value->type == VALUE_TEXT)
        texts_own(texts, &value->text);
}

void texts_free(struct texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct texts){0};
}
