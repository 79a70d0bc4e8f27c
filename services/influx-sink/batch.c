#include "batch.h"

#include <errno.h>
#include <stdlib.h>

int batch_add(struct batch *batch, const struct spool_record *record, size_t first_line)
{
    if (batch->n == batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : 256;
        struct batch_entry *entries = realloc(batch->entries, capacity * sizeof(*entries));

        if (!entries)
            return -ENOMEM;
        batch->entries = entries;
        batch->capacity = capacity;
    }
    batch->entries[batch->n] =
        (struct batch_entry){record->number, batch->records.size, record->size, first_line};
    buffer_append(&batch->records, record->body, record->size);
    if (batch->records.failed)
        return -ENOMEM;
    batch->n++;
    return 0;
}

bool batch_find(const struct batch *batch, size_t line, struct message *out, uint64_t *number)
{
    size_t low = 0, high = batch->n;

    while (high - low > 1) { /* the last entry that begins at or before the line */
        size_t middle = low + (high - low) / 2;

        if (batch->entries[middle].first_line <= line)
            low = middle;
        else
            high = middle;
    }
    if (batch->n == 0 || line >= batch->lines.n)
        return false;
    *number = batch->entries[low].number;
    return message_unpack(out, batch->records.data + batch->entries[low].offset,
                          batch->entries[low].size) == 0;
}

void batch_clear(struct batch *batch)
{
    lines_clear(&batch->lines);
    buffer_clear(&batch->records);
    batch->n = 0;
    batch->n_messages = 0;
    batch->n_buried = 0;
    batch->received_ms = 0;
    outcome_clear(&batch->outcome);
}

void batch_free(struct batch *batch)
{
    lines_free(&batch->lines);
    buffer_free(&batch->records);
    free(batch->entries);
    *batch = (struct batch){0};
}
