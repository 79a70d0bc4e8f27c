/* A queue on disk: records are appended, read in order by one reader or several, each with a cursor
 * of its own, and forgotten after all of them have passed. What was appended survives a crash of
 * the process at once and a power cut after the next spool_sync().
 *
 * Format, version 1, little endian. DIR/<16 hex digits of the first record's number>.spool:
 *   header  "FLSPOOL1", u64 number of the first record, u32 CRC32C of these 16 bytes, u32 zero
 *   record  u32 length of the body, u32 CRC32C of u64 record number, u32 length, body; then the
 * body DIR/cursor.<reader>: "FLCURS1\0", u64 number of the next record to read, u32 CRC32C of these
 * 16 bytes, replaced by rename().
 *
 * One thread appends; each reader has one thread; all calls are for one of them as said. */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_RECORD_MAX (1024 * 1024) /* bytes of a body */
#define SPOOL_READERS_MAX 16
#define SPOOL_READER_NAME_SIZE 65 /* bytes, NUL included: [a-z0-9_-]{1,64} */

struct spool;
struct spool_reader;

/* The spool is full of bytes at `max_bytes`, of age once a record that some reader still needs has
 * waited for `max_age_ms`. Age is told by whole segments (the file's time of change), of which a
 * new one is begun at least every eighth of it, and looked at when something is appended: nothing
 * younger counts as old, and nothing older by more than that eighth as young. */
struct spool_options {
    const char *directory; /* made where it is missing; its parent must exist */
    int64_t max_bytes;     /* all segments together; passed by a segment's header at most */
    int64_t segment_bytes; /* at most half of max_bytes, so that the read half can go */
    int64_t max_age_ms;    /* 0: no bound */
    bool drop_oldest;      /* when full: forget the oldest segment, counted, instead of -ENOSPC */
    bool sync_each;        /* fdatasync() in every append */
    /* Names, NULL at the end; NULL: one reader, "main". One that is new here begins with the oldest
     * record there is. The cursor of one that is not named any more is removed, so that it holds
     * nothing. */
    const char *const *readers;
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

/* In the order of options.readers; borrowed until spool_close(). */
struct spool_reader *spool_reader(struct spool *spool, size_t index);

/* Reader. spool_next() gives the record at the read position, borrowed until the next call, and
 * moves on: 1 and the record, 0 where there is none yet, -errno; the same again after that.
 * spool_seek() goes to the record `number`, or the first after it that is there, but never before
 * the cursor.
 *
 * spool_commit(): all records before `number` are done with for this reader, and segments that all
 * readers are done with go. Returns 0, -EINVAL past what was appended, or -errno where the cursor
 * could not be written; then it counts all the same until the process ends, after which some
 * records are read again. */
struct spool_record {
    uint64_t number; /* rises by one, for ever */
    const void *body;
    size_t size;
};
int spool_next(struct spool_reader *reader, struct spool_record *out);
int spool_commit(struct spool_reader *reader, uint64_t number);
void spool_seek(struct spool_reader *reader, uint64_t number);

/* A second place to read from for the same reader and on its thread, so that it may take records
 * out of turn; it begins at the cursor. Only spool_next() and spool_seek() are for it; what it has
 * read and the reader has not committed is kept as long as that. To be ended by spool_unfollow(),
 * which ignores NULL, before spool_close(). Returns 0 or -ENOMEM. */
int spool_follow(struct spool_reader **out, struct spool_reader *reader);
void spool_unfollow(struct spool_reader *follower);

uint64_t spool_cursor(struct spool_reader *reader); /* any thread: first record not committed */
uint64_t spool_end(struct spool_reader *reader);    /* any thread: number the next append gets */

/* Readable (poll) when something was appended since the reader last saw 0 from spool_next().
 * Borrowed. */
int spool_fd(const struct spool_reader *reader);

uint64_t spool_waiting(struct spool_reader *reader); /* any thread: records it has not committed */

struct spool_stats {    /* any thread */
    uint64_t appended;  /* records, since open */
    uint64_t committed; /* records, since open, that all readers are done with */
    uint64_t dropped;   /* records that drop_oldest forgot before all readers had committed them */
    uint64_t torn;      /* tails, headers and cursors found damaged and mended at open */
    uint64_t corrupt;   /* records that were there once and cannot be read any more */
    uint64_t first;     /* number at the cursor of the slowest reader */
    uint64_t next;      /* number the next append gets */
    int64_t bytes;      /* of all segments on disk */
    size_t segments;
    int64_t age_ms; /* since the oldest segment was last written to */
};
struct spool_stats spool_stats(struct spool *spool);

/* Looks at a spool without changing it, also while another process uses it: first, next, bytes,
 * segments, age, torn; and each reader that has a cursor, in the order of their names. Returns as
 * spool_open() does, and -ENOENT where there is none. */
struct spool_view {
    struct spool_stats stats;
    size_t n_readers;
    struct spool_reader_view {
        char name[SPOOL_READER_NAME_SIZE];
        uint64_t cursor; /* number of the next record that it needs */
    } readers[SPOOL_READERS_MAX];
};
int spool_inspect(const char *directory, struct spool_view *out, char *error, size_t error_size);

#endif
