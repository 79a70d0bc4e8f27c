/* Lines out of a stream of bytes. Each of some characters, LF and CR as a rule, ends a line; empty
 * ones are skipped. What is too long, holds a byte that text does not have (control characters,
 * broken UTF-8), or fails its checksum is dropped whole and counted, and reading goes on after the
 * next line end. Pure. */
#ifndef FRAMING_H
#define FRAMING_H

#include "checksum.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_LINE_MAX 4096 /* characters that a line may be configured to have */

struct framing {
    const char *ends; /* borrowed */
    size_t max;       /* characters of a line at most */
    enum checksum_kind checksum;
    size_t length;
    bool skipping; /* the rest of a line that is lost already */
    uint64_t lines;
    uint64_t long_lines; /* dropped for their length */
    uint64_t bad_lines;  /* dropped for their bytes */
    uint64_t bad_bytes;  /* in them */
    uint64_t bad_sums;   /* dropped for a checksum that is wrong or not there */
    uint64_t cut_lines;  /* dropped since their end did not come in time */
    char line[FRAMING_LINE_MAX + 1];
};

/* `max` from 1 to FRAMING_LINE_MAX; `ends` is borrowed. */
void framing_init(struct framing *framing, const char *ends, size_t max,
                  enum checksum_kind checksum);

/* Forgets a line begun, not the counters: the port was closed. A line begun counts as cut. */
void framing_reset(struct framing *framing);

/* The end of a line begun is not waited for any more. What comes up to the next line end is taken
 * for the rest of it and dropped too: half a line would read as a whole one with wrong values. */
void framing_abandon(struct framing *framing);

/* Takes bytes from `*bytes` and moves it and `*size` on. Returns the next whole line without its
 * checksum and end, borrowed until the next call, or NULL once all bytes are taken. */
const char *framing_next(struct framing *framing, const char **bytes, size_t *size);

#endif
