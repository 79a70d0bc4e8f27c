/* What a spool knows of itself. For spool.c, spool_append.c and spool_read.c. */
#ifndef SPOOL_STATE_H
#define SPOOL_STATE_H

#include "spool_list.h"
#include "spool_walk.h"

#include <pthread.h>

struct spool_reader {
    struct spool *spool;
    char name[SPOOL_READER_NAME_SIZE];
    struct spool_walk walk;    /* its thread's */
    int wake;                  /* eventfd */
    struct spool_reader *main; /* of whom it is a second place; NULL: a reader of its own */
    /* Guarded by the spool's mutex: */
    uint64_t cursor;  /* records before it are done with */
    uint64_t corrupt; /* records it found unreadable */
    bool waiting;     /* it has seen the end */
};

/* The mutex is a leaf and is not held over anything that waits for the disk but the removal of read
 * segments. It guards what stands below it; what stands above is set at open. */
struct spool {
    char *path;
    int64_t max_bytes;
    int64_t segment_bytes;
    int64_t max_age_ms;
    bool drop_oldest;
    bool sync_each;
    int directory; /* holds the lock against other processes */
    struct spool_reader readers[SPOOL_READERS_MAX];
    size_t n_readers;
    /* The writer's: a new segment could not be made, and its file may be there all the same. What
     * is appended to the old one now would have the new one's numbers at the next start. */
    bool rotating;

    pthread_mutex_t mutex;
    int fd; /* of the last segment; changed by the writer only */
    struct spool_list list;
    struct spool_stats stats;
    bool dirty; /* something was appended since the last sync */
};

/* Goes on in a new segment. Also after an unsynced cursor outlived unsynced records: numbers are
 * never given twice. The writer's. Returns 0 or -errno. */
int spool_start_segment(struct spool *spool, uint64_t first);

/* With the mutex held. Returns 0 or -errno, and then it is still there: what is newer must not go
 * before it, or a gap would look like a loss at the next start. */
int spool_remove_oldest(struct spool *spool);

/* With the mutex held: takes note of where the slowest reader is, and removes what all have read
 * but the segment that is written to. */
void spool_trim(struct spool *spool);

#endif
