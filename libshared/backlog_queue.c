#include "backlog_queue.h"

#include <errno.h>
#include <string.h>

int backlog_queue_add(struct backlog_queue *queue, const void *record, size_t size)
{
    size_t before = queue->bytes.size;
    buffer_append(&queue->bytes, &size, sizeof size);
    buffer_append(&queue->bytes, record, size);
    if (!queue->bytes.failed)
        return 0;
    queue->bytes.failed = false;
    queue->bytes.size = before;
    return -ENOMEM;
}

void backlog_queue_each(const struct backlog_queue *queue, backlog_queue_fn *on_record, void *self)
{
    size_t size;
    for (size_t at = 0; at < queue->bytes.size; at += size) {
        memcpy(&size, queue->bytes.data + at, sizeof size);
        at += sizeof size;
        on_record(self, queue->bytes.data + at, size);
    }
}

size_t backlog_queue_size(const struct backlog_queue *queue)
{
    return queue->bytes.size;
}

void backlog_queue_clear(struct backlog_queue *queue)
{
    buffer_free(&queue->bytes);
}
