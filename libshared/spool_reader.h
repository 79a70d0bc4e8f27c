/* Reads the records of one segment after the other. For spool.c. */
#ifndef SPOOL_READER_H
#define SPOOL_READER_H

#include "spool_segment.h"

struct spool_reader {
    struct spool_segment segment; /* as far as it was known to be written */
    struct spool_window window;   /* its descriptor is ours; -1: in no segment */
    int64_t offset;
    uint64_t number; /* of the record at `offset` */
    uint64_t wanted; /* records before this one are passed over */
};

void spool_reader_init(struct spool_reader *reader, uint64_t wanted);
void spool_reader_free(struct spool_reader *reader);

/* Goes to the begin of a segment, or takes notice that the one it is in has grown. 0 or -errno. */
int spool_reader_enter(struct spool_reader *reader, int directory,
                       const struct spool_segment *segment);

/* Records before `number` are not wanted any more. */
void spool_reader_pass(struct spool_reader *reader, uint64_t number);

/* 1 and a record; 0 at the segment's end; -errno. Adds to `lost` what was there and is unreadable.
 */
int spool_reader_next(struct spool_reader *reader, struct spool_record *out, uint64_t *lost);

#endif
