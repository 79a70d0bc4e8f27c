#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int reader_open(struct reader *reader, const struct poll_settings *settings, size_t max_line)
{
    size_t size = DECODE_SCRATCH(settings->decoder.n_fields, max_line);

    memset(reader, 0, sizeof *reader);
    reader->settings = settings;
    reader->sequence.modulo = settings->modulo;
    reader->pace = (struct pace){.interval_ms = settings->interval_ms, .burst = settings->burst};
    reader->sending = (struct pace){.interval_ms = settings->gather_ms, .burst = 1};
    reader->texts = malloc(size);
    reader->spare = malloc(size);
    return reader->texts && reader->spare ? 0 : -ENOMEM;
}

void reader_close(struct reader *reader)
{
    reading_free(&reader->reading);
    free(reader->texts);
    free(reader->spare);
}

static void swap_texts(struct reader *reader)
{
    char *texts = reader->texts;

    reader->texts = reader->spare;
    reader->spare = texts;
}

bool reader_take(struct reader *reader, const char *line, int64_t time_ms)
{
    const struct poll_settings *settings = reader->settings;
    struct value raw[DECODE_FIELDS_MAX];

    if (decode(&settings->decoder, line, raw, reader->spare) == 0)
        return false;
    swap_texts(reader);
    if (settings->modulo > 0)
        sequence_note(&reader->sequence, &raw[settings->n_points]);
    reading_reset(&reader->reading, time_ms, 0);
    for (size_t i = 0; i < settings->n_points; i++)
        point_add(&settings->points[i], &reader->reading, raw[i]);
    reader->bad_values += reader->reading.n_faults;
    return true;
}

void reader_fail(struct reader *reader, const char *reason, int64_t time_ms)
{
    const struct poll_settings *settings = reader->settings;

    reading_reset(&reader->reading, time_ms, 0);
    for (size_t i = 0; i < settings->n_points; i++)
        reading_add_fault(&reader->reading, settings->points[i].name, reason);
    reader->bad_values += reader->reading.n_faults;
}

void reader_offer(struct reader *reader)
{
    reader->thinned += reader->pending;
    reader->pending = true;
}

bool reader_release(struct reader *reader, int64_t now_ms)
{
    if (!reader->pending || !pace_allow(&reader->pace, now_ms))
        return false;
    reader->pending = false;
    reader->collected = true;
    return true;
}

bool reader_send(struct reader *reader, int64_t now_ms)
{
    if (!reader->collected || !pace_allow(&reader->sending, now_ms))
        return false;
    reader->collected = false;
    return true;
}

int64_t reader_due_ms(const struct reader *reader)
{
    int64_t release = reader->pending ? pace_ready_ms(&reader->pace) : INT64_MAX;
    int64_t send = reader->collected ? pace_ready_ms(&reader->sending) : INT64_MAX;

    return release < send ? release : send;
}

int readers_open(struct readers *readers, const struct board_config *board)
{
    int error = 0;

    readers->board = board;
    readers->all = calloc(board->board.n_polls, sizeof *readers->all);
    if (!readers->all)
        return -ENOMEM;
    readers->n = board->board.n_polls;
    for (size_t i = 0; i < readers->n && error == 0; i++)
        error = reader_open(&readers->all[i], &board->polls[i], board->link.max_line);
    return error;
}

void readers_close(struct readers *readers)
{
    for (size_t i = 0; i < readers->n; i++)
        reader_close(&readers->all[i]);
    free(readers->all);
}

int readers_take_stream(struct readers *readers, const char *line, int64_t time_ms)
{
    for (size_t i = 0; i < readers->n; i++)
        if (!readers->board->requests[i].request && reader_take(&readers->all[i], line, time_ms))
            return (int)i;
    return -1;
}
