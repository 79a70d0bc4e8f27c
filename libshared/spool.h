/* A queue on disk: records are appended, read in order and forgotten after the reader's cursor has
 * passed them. What was appended survives a crash of the process at once and a power cut after the
 * next spool_sync().
 *
 * Format, version 1, little endian. DIR/<16 hex digits of the first record's number>.spool:
 *   header  "FLSPOOL1", u64 number of the first record, u32 CRC32C of these 16 bytes, u32 zero
 *   record  u32 length of the body, u32 CRC32C of u64 record number, u32 length, body; then the
 * body DIR/cursor.<reader>: "FLCURS1\0", u64 number of the next record to read, u32 CRC32C of these
 * 16 bytes, replaced by rename().
 *
 * One thread may append while another reads; all other calls are for one of the two as said. */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_RECORD_MAX (1024 * 1024) /* bytes of a body */

struct spool;

struct spool_options {
    const char *directory; /* made where it is missing; its parent must exist */
    int64_t max_bytes;     /* all segments together; passed by a segment's header at most */
    int64_t segment_bytes; /* at most half of max_bytes, so that the read half can go */
    bool drop_oldest;      /* when full: forget the oldest segment, counted, instead of -ENOSPC */
    bool sync_each;        /* fdatasync() in every append */
};

/* Finds and repairs: what is torn at the end is cut, a record that fails its check is skipped when
 * it is reached, both counted. Returns 0; -EPROTO for a foreign or newer format; -EWOULDBLOCK where
 * another process has it; -errno; with a sentence in `error`. */
int spool_open(struct spool **out, const struct spool_options *options, char *error,
               size_t error_size);
void spool_close(struct spool *spool); /* syncs */

/* Writer. One write() a record. Returns 0; -ENOSPC where the spool or the disk is full, -EMSGSIZE,
 * -EIO…, and then nothing was appended. */
int spool_append(struct spool *spool, const void *body, size_t size);

/* Any thread. Makes what was appended before the call durable; does nothing where it is already.
 * Returns 0 or -errno. */
int spool_sync(struct spool *spool);

/* Reader. spool_next() gives the record at the read position, borrowed until the next call, and
 * moves on: 1 and the record, 0 where there is none yet, -errno. spool_rewind() reads again from
 * the cursor.
 *
 * spool_commit(): all records before `number` are done with, and their segments go. Returns 0,
 * -EINVAL past what was appended, or -errno where the cursor could not be written; then it counts
 * all the same until the process ends, after which some records are read again. */
struct spool_record {
    uint64_t number; /* rises by one, for ever */
    const void *body;
    size_t size;
};
int spool_next(struct spool *spool, struct spool_record *out);
int spool_commit(struct spool *spool, uint64_t number);
void spool_rewind(struct spool *spool);

/* Readable (poll) when something was appended since the reader last saw 0 from spool_next().
 * Borrowed. */
int spool_fd(const struct spool *spool);

struct spool_stats {    /* any thread */
    uint64_t appended;  /* records, since open */
    uint64_t committed; /* records, since open */
    uint64_t dropped;   /* records that drop_oldest forgot before they were committed */
    uint64_t torn;      /* tails, headers and cursors found damaged and mended at open */
    uint64_t corrupt;   /* records that were there once and cannot be read any more */
    uint64_t first;     /* number at the cursor */
    uint64_t next;      /* number the next append gets */
    int64_t bytes;      /* of all segments on disk */
    size_t segments;
};
struct spool_stats spool_stats(struct spool *spool);

/* Looks at a spool without changing it, also while another process uses it: first, next, bytes,
 * segments, torn. Returns as spool_open() does, and -ENOENT where there is none. */
int spool_inspect(const char *directory, struct spool_stats *out, char *error, size_t error_size);

#endif
