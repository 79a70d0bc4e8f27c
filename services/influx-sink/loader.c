#include "loader.h"

#include "reading_scan.h"

#include <errno.h>
#include <stdio.h>

#define BATCH_BYTES (2 * 1024 * 1024) /* of points or of messages; then it is full */

bool loader_is_full(const struct loader *loader, const struct batch *batch)
{
    return batch->lines.n >= loader->points_max || batch->lines.text.size >= BATCH_BYTES ||
           batch->records.size >= BATCH_BYTES;
}

static void count(struct loader *loader, int n_points, const struct encode_notes *notes)
{
    if (n_points == 0)
        health_raise(loader->empty, 1);
    if (n_points > 0)
        health_raise(loader->points, (uint64_t)n_points);
    if (notes->coerced > 0)
        health_raise(loader->coerced, notes->coerced);
    if (notes->rounded > 0)
        health_raise(loader->rounded, notes->rounded);
}

static void bury(struct loader *loader, struct batch *batch, const struct message *message,
                 const char *reason, const char *detail)
{
    batch->n_buried++;
    burial_add(loader->burial, message, reason, detail);
}

static void bury_rest(struct loader *loader, struct batch *batch, const struct message *message,
                      const struct encode_notes *notes)
{
    char detail[400];

    if (notes->n_faults == 0)
        return;
    snprintf(detail, sizeof(detail), "%s; all else in the message is stored", notes->detail);
    if (notes->n_faults > 1)
        snprintf(detail, sizeof(detail), "%s; so are %zu more, all else in the message is stored",
                 notes->detail, notes->n_faults - 1);
    bury(loader, batch, message, notes->reason, detail);
}

/* Of a message that cannot be encoded only the ledger's own reader can tell the readings. */
static void take_outcome(struct batch *batch, const struct message *message,
                         const struct spool_record *record, const struct encode_notes *notes,
                         bool encoded)
{
    size_t n_readings = notes->n_readings, n_dead = notes->n_dead;

    if (!outcome_wants(&batch->outcome, record->number))
        return;
    if (!encoded)
        n_readings = n_dead = reading_scan(message->payload, message->size, NULL, NULL);
    outcome_take(&batch->outcome, &notes->topic, n_readings, n_dead);
}

static int take_message(struct loader *loader, struct batch *batch, const struct message *message,
                        const struct spool_record *record)
{
    size_t first_line = batch->lines.n;
    struct encode_notes notes;
    int n = encode_message(&loader->encoder, message, &batch->lines, &notes);

    if (n == -ENOMEM)
        return n;
    count(loader, n, &notes);
    take_outcome(batch, message, record, &notes, n >= 0);
    if (n < 0)
        bury(loader, batch, message, n == -ENOENT ? "bad_topic" : "bad_payload", notes.detail);
    else
        bury_rest(loader, batch, message, &notes);
    return n > 0 ? batch_add(batch, record, first_line) : 0;
}

static int take_record(struct loader *loader, struct batch *batch,
                       const struct spool_record *record)
{
    struct message message = {0};

    batch->n_messages++;
    if (message_unpack(&message, record->body, record->size) != 0) {
        bury(loader, batch, &message, "bad_record",
             "the spool holds it in a format not known here");
        return 0;
    }
    if (batch->received_ms == 0)
        batch->received_ms = message.received_ms;
    if (!message.cut)
        return take_message(loader, batch, &message, record);
    bury(loader, batch, &message, "too_large", "longer than a record of the spool can be");
    return 0;
}

/* Returns as spool_next(); what is missing before `limit` may have hidden that there is no more. */
static int take_next(struct loader *loader, struct spool_reader *reader, uint64_t limit,
                     struct batch *batch)
{
    struct spool_record record;
    int result = spool_next(reader, &record);
    int error;

    if (result != 1)
        return result;
    if (record.number >= limit) {
        batch->next = limit;
        return 0;
    }
    error = take_record(loader, batch, &record);
    if (error)
        return error;
    batch->next = record.number + 1;
    return 1;
}

int loader_fill(struct loader *loader, struct spool_reader *reader, uint64_t limit,
                struct batch *batch)
{
    int result = 1;

    while (result == 1 && !loader_is_full(loader, batch) && batch->next < limit)
        result = take_next(loader, reader, limit, batch);
    return result < 0 ? result : 0;
}

int loader_fill_again(struct loader *loader, struct spool_reader *reader, struct batch *batch)
{
    uint64_t first = batch->first, next = batch->next;
    int result = 1;

    batch_clear(batch);
    batch->first = batch->next = first;
    spool_seek(reader, first);
    while (result == 1 && batch->next < next)
        result = take_next(loader, reader, next, batch);
    batch->next = next;
    return result < 0 ? result : 0;
}
