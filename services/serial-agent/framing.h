/* Lines out of a stream of bytes. A line ends with LF, CR or both; empty ones are skipped. What is
 * too long, or holds a byte that text does not have (control characters, broken UTF-8), is dropped
 * whole and counted, and reading goes on after the next line end. Pure. */
#ifndef FRAMING_H
#define FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_LINE_MAX 4096 /* characters that a line may be configured to have */

struct framing {
    size_t max; /* characters of a line at most */
    size_t length;
    bool skipping; /* the rest of a line that is lost already */
    uint64_t lines;
    uint64_t long_lines; /* dropped for their length */
    uint64_t bad_lines;  /* dropped for their bytes */
    uint64_t bad_bytes;  /* in them */
    char line[FRAMING_LINE_MAX + 1];
};

/* `max` from 1 to FRAMING_LINE_MAX. */
void framing_init(struct framing *framing, size_t max);

/* Forgets a line begun, not the counters: the port was closed. */
void framing_reset(struct framing *framing);

/* Takes bytes from `*bytes` and moves it and `*size` on. Returns the next whole line without its
 * end, borrowed until the next call, or NULL once all bytes are taken. */
const char *framing_next(struct framing *framing, const char **bytes, size_t *size);

#endif
