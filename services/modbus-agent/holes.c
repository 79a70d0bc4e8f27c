#include "holes.h"

#include <errno.h>
#include <stdlib.h>

static bool same(const struct span *a, const struct span *b)
{
    return a->table == b->table && a->address == b->address && a->count == b->count;
}

int holes_add(struct holes *holes, const struct span *hole)
{
    struct span *items;

    for (size_t i = 0; i < holes->n; i++)
        if (same(&holes->items[i], hole))
            return 0;
    if (holes->n == HOLES_MAX)
        return -E2BIG;
    items = realloc(holes->items, (holes->n + 1) * sizeof *items);
    if (!items)
        return -ENOMEM;
    items[holes->n++] = *hole;
    holes->items = items;
    return 0;
}

int holes_copy(struct holes *out, const struct holes *from)
{
    int rc = 0;

    *out = (struct holes){0};
    for (size_t i = 0; i < from->n && rc == 0; i++)
        rc = holes_add(out, &from->items[i]);
    return rc;
}

void holes_free(struct holes *holes)
{
    free(holes->items);
    *holes = (struct holes){0};
}

static bool crosses(const struct span *span, const struct span *hole)
{
    return span->table == hole->table && span->address < span_end(hole) &&
           span_end(span) > hole->address && !span_covers(hole, span);
}

bool holes_crossed(const struct holes *holes, const struct span *span)
{
    for (size_t i = 0; i < holes->n; i++)
        if (crosses(span, &holes->items[i]))
            return true;
    return false;
}
