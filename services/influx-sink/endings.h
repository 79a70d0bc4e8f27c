/* Batches that are done with, in whatever order they came to their end: how far all is done, and
 * the ledger, which is told in order. Pure. */
#ifndef ENDINGS_H
#define ENDINGS_H

#include "lanes.h"
#include "outcome.h"

/* Between them lie two batches under way, or what the first lane has not come to yet. */
#define ENDINGS_MAX (LANES_RANGES_MAX + 3)

struct ending {
    uint64_t from, to; /* numbers of the first record and of the one after the last */
    struct outcome outcome;
};

struct endings {
    uint64_t done; /* all records before this one */
    size_t n;
    struct ending ranges[ENDINGS_MAX]; /* ascending, none touches another */
};

void endings_init(struct endings *endings, uint64_t cursor);

/* These records are done with, which they were not before; the outcome is copied. */
void endings_add(struct endings *endings, uint64_t from, uint64_t to,
                 const struct outcome *outcome);

/* Whether more is done in order than the ledger was told. */
bool endings_wait(const struct endings *endings);

/* Tells the ledger of it; returns the number of the first record that is not done. */
uint64_t endings_settle(struct endings *endings);

#endif
