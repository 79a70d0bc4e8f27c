/* Messages on their way to the store: their points, and themselves as long as they may still become
 * dead letters; and how their readings ended. Pure. */
#ifndef BATCH_H
#define BATCH_H

#include "lines.h"
#include "message.h"
#include "outcome.h"
#include "spool.h"

struct batch_entry {
    uint64_t number;     /* of the record */
    size_t offset, size; /* in `records` */
    size_t first_line;
};

struct batch {
    struct lines lines;
    struct buffer records;
    struct batch_entry *entries; /* owned */
    size_t n, capacity;
    size_t n_messages;    /* also those without a point */
    size_t n_buried;      /* of these, while they were encoded */
    uint64_t first, next; /* numbers of the first record and of the one after the last */
    int64_t received_ms;  /* of its first message; wall clock */
    struct outcome outcome;
};

/* The points from `first_line` on are this record's. Copied. Returns 0 or -ENOMEM. */
int batch_add(struct batch *batch, const struct spool_record *record, size_t first_line);

/* The message that line came from, and its record's number. False where the batch has no such line.
 */
bool batch_find(const struct batch *batch, size_t line, struct message *out, uint64_t *number);

void batch_clear(struct batch *batch); /* empty again, memory kept */
void batch_free(struct batch *batch);

#endif
