/* Loads a batch from the spool: reads, encodes, buries what cannot be encoded. For a sender's
 * thread. */
#ifndef LOADER_H
#define LOADER_H

#include "batch.h"
#include "burial.h"
#include "encode.h"
#include "health.h"
#include "spool.h"

struct loader {
    struct spool_reader *reader; /* all borrowed */
    struct burial *burial;
    struct encoder encoder;
    size_t points_max; /* in a batch */
    health_counter *points, *empty, *coerced, *rounded;
};

bool loader_is_full(const struct loader *loader, const struct batch *batch);

/* Adds what the spool has until the batch is full. Returns 0 or -errno; the batch is then of no
 * use, and spool_seek() back is due. */
int loader_fill(struct loader *loader, struct batch *batch);

#endif
