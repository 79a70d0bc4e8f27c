/* Records of the backlog that wait in memory, the oldest first. Pure. Inside backlog.c. */
#ifndef BACKLOG_QUEUE_H
#define BACKLOG_QUEUE_H

#include "buffer.h"

#include <stddef.h>

struct backlog_queue {
    struct buffer bytes; /* each record after its size; starts as `= {0}` */
};

/* Copies the record. Returns 0 or -ENOMEM, with the queue as before. */
int backlog_queue_add(struct backlog_queue *queue, const void *record, size_t size);

/* Hands over each record, borrowed for the call. */
typedef void backlog_queue_fn(void *self, const void *record, size_t size);
void backlog_queue_each(const struct backlog_queue *queue, backlog_queue_fn *on_record, void *self);

size_t backlog_queue_size(const struct backlog_queue *queue); /* bytes that it takes */
void backlog_queue_clear(struct backlog_queue *queue);        /* empty, its memory freed */

#endif
