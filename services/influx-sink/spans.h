/* Which records of the spool are done with, in whatever order they came to their end: all before
 * `done`, and ranges beyond it. Pure; plain memory that may be copied and kept in a file. */
#ifndef SPANS_H
#define SPANS_H

#include "lanes.h"

/* Between them lie two batches under way, or what the first lane has not come to yet. */
#define SPANS_MAX (LANES_RANGES_MAX + 3)

struct spans { /* starts as zeroes */
    uint64_t done;
    uint64_t n;
    struct lanes_range ahead[SPANS_MAX]; /* ascending; none touches another, or `done` */
};

/* The records [from, to), some of which may be there already. False where there is no room for one
 * more range; nothing is added then. */
bool spans_add(struct spans *spans, uint64_t from, uint64_t to);

bool spans_has(const struct spans *spans, uint64_t record);

/* How many records there are. */
uint64_t spans_count(const struct spans *spans);

void spans_copy(struct spans *to, const struct spans *from);

#endif
