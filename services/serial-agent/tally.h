/* What one board's parts counted, added to the service's counters. */
#ifndef TALLY_H
#define TALLY_H

#include "board.h"
#include "health.h"
#include "link.h"
#include "reader.h"

#include <stddef.h>

#define TALLY_COUNTERS 26

struct tally { /* starts as `= {0}` */
    uint64_t told[TALLY_COUNTERS];
};

struct tally_sources { /* all borrowed */
    const struct board *board;
    const struct link *link;
    const struct readers *readers;
};

/* Adds what was counted since the last time. */
void tally_raise(struct tally *tally, struct health *health, const struct tally_sources *sources);

#endif
