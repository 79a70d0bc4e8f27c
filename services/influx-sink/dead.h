/* Dead letters: messages that cannot be stored, each with the reason and the server's words, in a
 * file of JSON lines (proto/dead-letter.schema.json, with the whole payload). When the file is full
 * it becomes FILE.1 and the FILE.1 before it goes, its letters counted. One thread; other processes
 * may add to the same file or take it away (dead_redo.h): all hold flock() on it for as long as
 * that takes. */
#ifndef DEAD_H
#define DEAD_H

#include "buffer.h"
#include "message.h"

#include <stdint.h>
#include <stdio.h>

struct dead;

int dead_open(struct dead **out, const char *path, int64_t max_bytes); /* 0 or -errno */
void dead_close(struct dead *dead);

struct dead_letter {
    struct message message; /* its topic may be empty: "unknown" is written */
    const char *reason;     /* a word to count by */
    const char *detail;     /* a sentence */
    int64_t time_ms;
};

/* Returns 0, or -errno, and then nothing was written. */
int dead_add(struct dead *dead, const struct dead_letter *letter);
int dead_sync(struct dead *dead); /* 0 or -errno */

/* Letters that were in a FILE.1 when the next one took its place, since dead_open(). */
uint64_t dead_forgotten(const struct dead *dead);

/* The letter as it is published: the payload's first 4096 bytes. 0 or -ENOMEM. */
int dead_encode(const struct dead_letter *letter, size_t payload_max, struct buffer *out);

/* Prints FILE.1 and FILE for people. Returns the number of letters or -errno. */
int dead_list(const char *path, FILE *out);

#endif
