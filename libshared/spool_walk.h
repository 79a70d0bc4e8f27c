/* Reads the records of one segment after the other. For spool_read.c. */
#ifndef SPOOL_WALK_H
#define SPOOL_WALK_H

#include "spool_segment.h"

struct spool_walk {
    struct spool_segment segment; /* as far as it was known to be written */
    struct spool_window window;   /* its descriptor is ours; -1: in no segment */
    int64_t offset;
    uint64_t number; /* of the record at `offset` */
    uint64_t wanted; /* records before this one are passed over */
};

void spool_walk_init(struct spool_walk *walk, uint64_t wanted);
void spool_walk_free(struct spool_walk *walk);

/* Goes to the begin of a segment, or takes notice that the one it is in has grown. 0 or -errno. */
int spool_walk_enter(struct spool_walk *walk, int directory, const struct spool_segment *segment);

/* Records before `number` are not wanted any more. */
void spool_walk_pass(struct spool_walk *walk, uint64_t number);

/* 1 and a record; 0 at the segment's end; -errno. Adds to `lost` what was there and is unreadable.
 */
int spool_walk_next(struct spool_walk *walk, struct spool_record *out, uint64_t *lost);

#endif
