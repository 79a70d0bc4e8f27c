/* Stretches of a device's tables that no request may reach over, because the device refuses those
 * that do. A hole of no cells is a seam: what lies on both sides can be read, but not at once. What
 * a point needs is a hole where the device refuses that point; then it is asked for alone. Pure. */
#ifndef HOLES_H
#define HOLES_H

#include "table.h"

#include <stddef.h>

#define HOLES_MAX 4096

struct holes {
    struct span *items; /* owned; starts as `= {0}` */
    size_t n;
};

/* Does nothing for one that is there already. Returns 0, -ENOMEM, or -E2BIG past HOLES_MAX. */
int holes_add(struct holes *holes, const struct span *hole);
int holes_copy(struct holes *out, const struct holes *from); /* 0 or -ENOMEM */
void holes_free(struct holes *holes);

/* Whether the span reaches over one of the holes; lying within one is not that. */
bool holes_crossed(const struct holes *holes, const struct span *span);

#endif
