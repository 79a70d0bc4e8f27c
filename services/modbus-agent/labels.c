#include "labels.h"

#include "number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int labels_configure(struct labels *out, struct config_node *node)
{
    struct config_node *names = config_object(node, "names");
    size_t n = config_length(names);

    *out = (struct labels){0};
    if (n == 0)
        return 0;
    out->items = calloc(n, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const char *key = config_key(names, i);
        struct label *label = &out->items[out->n++];

        label->text = config_require_string(names, key);
        if (number_parse(key, strlen(key), &label->number) != 0)
            config_problem(names, key, "is no number: \"0\" and the like are meant");
    }
    return 0;
}

void labels_free(struct labels *labels)
{
    free(labels->items);
    *labels = (struct labels){0};
}

const char *labels_find(const struct labels *labels, double number)
{
    for (size_t i = 0; i < labels->n; i++)
        if (labels->items[i].number == number)
            return labels->items[i].text;
    return NULL;
}
