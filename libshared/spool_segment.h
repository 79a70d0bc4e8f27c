/* The files of a spool: how a segment, a record and a cursor look on disk (format: spool.h).
 * For spool.c and what it is split into. */
#ifndef SPOOL_SEGMENT_H
#define SPOOL_SEGMENT_H

#include "spool.h"

#include <stddef.h>
#include <stdint.h>

#define SPOOL_SEGMENT_HEADER 24 /* bytes */
#define SPOOL_RECORD_HEADER 8   /* bytes */

struct spool_segment {
    uint64_t first; /* number of its first record; names the file */
    uint64_t end;   /* number after its last record */
    int64_t bytes;  /* of header and records; what the file holds beyond them is not ours */
    int64_t begun_ms, written_ms; /* first and last change, as far as known; monotonic */
};

/* Number of the file's first record; -ENOENT where the name is not a segment's. */
int spool_segment_parse_name(const char *name, uint64_t *out);

/* `directory` is a descriptor, borrowed; the descriptor returned is the caller's. */
int spool_segment_create(int directory, uint64_t first);          /* descriptor or -errno */
int spool_segment_open(int directory, uint64_t first, int flags); /* descriptor or -errno */
int spool_segment_remove(int directory, uint64_t first);          /* 0 or -errno */

/* Looks at the header. Returns 0 for a good one; 1 for a damaged one, of which the name tells
 * enough; -ENODATA where the file was cut before its header was whole; -EPROTO for a foreign or
 * newer format, with a sentence in `error`; -errno. */
int spool_segment_check(int fd, uint64_t first, char *error, size_t error_size);

/* Finds the end of the last good record: fills end and bytes. Returns 0 or -errno. */
int spool_segment_scan(int fd, struct spool_segment *segment);

/* Writes the record at the segment's end. Returns 0 or -errno, and then it did not grow. */
int spool_segment_write(int fd, const struct spool_segment *segment, const void *body, size_t size);

/* Reads the record `number` at data[0..size). Returns the bytes it takes; 0 where `size` is too
 * small to say; -EBADMSG for a length that cannot be; `*good` tells whether it passed its check. */
int spool_record_parse(const char *data, size_t size, uint64_t number, struct spool_record *out,
                       bool *good);

/* A view of a file through one buffer that slides forward. */
struct spool_window {
    int fd; /* borrowed */
    char *data;
    size_t capacity;
    int64_t start; /* offset in the file of data[0] */
    size_t size;
};

/* The record `number` at `offset`, in a file of `limit` bytes. Borrowed until the next call.
 * Returns as spool_record_parse(), -ENOMEM, or -errno; 0 where the file ends before the record
 * does. */
int spool_window_record(struct spool_window *window, int64_t offset, int64_t limit,
                        struct spool_record *out, bool *good); /* out->number is the caller's */
void spool_window_free(struct spool_window *window);

/* The cursor of a reader, by its name. Load returns 0; -ENOENT where there is none, -EBADMSG for a
 * damaged one. Each hands the name over of every reader that has one; it may remove it. 0 or
 * -errno. */
int spool_cursor_load(int directory, const char *name, uint64_t *out);
int spool_cursor_store(int directory, const char *name, uint64_t number); /* 0 or -errno */
void spool_cursor_remove(int directory, const char *name);
typedef void spool_cursor_fn(void *self, const char *name);
int spool_cursor_each(int directory, spool_cursor_fn *on_cursor, void *self);

#endif
