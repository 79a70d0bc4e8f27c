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
    struct burial *burial; /* all borrowed */
    struct encoder encoder;
    size_t points_max; /* in a batch */
    health_counter *points, *empty, *coerced, *rounded;
};

bool loader_is_full(const struct loader *loader, const struct batch *batch);

/* Adds what the reader has before record `limit` until the batch is full. Returns 0 or -errno; the
 * batch is then of no use, and a spool_seek() back is due. */
int loader_fill(struct loader *loader, struct spool_reader *reader, uint64_t limit,
                struct batch *batch);

/* Loads the same records once more, by what is known of the store's types now. Returns 0 or -errno;
 * it is then to be done again. */
int loader_fill_again(struct loader *loader, struct spool_reader *reader, struct batch *batch);

#endif
