#include "once.h"

#include "clock.h"
#include "number.h"
#include "reader.h"
#include "service.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>

#define SPARE_MS 15000 /* for looking up and connecting */

struct once {
    const struct board_config *config;
    struct loop *loop;
    struct link *link;
    struct loop_timer *timer;
    struct loop_timer *limit;
    struct board board;
    struct readers readers;
    bool done[BOARD_POLLS_MAX]; /* answered, or not in time */
    size_t n_answered;
    size_t n_done;
};

static void print_value(const struct value *value)
{
    char number[NUMBER_SIZE];

    switch (value->type) {
    case VALUE_BOOL:
        printf("%s", value->boolean ? "true" : "false");
        break;
    case VALUE_NUMBER:
        number_format(number, value->number);
        printf("%s", number);
        break;
    case VALUE_TEXT:
        printf("\"%s\"", value->text);
        break;
    case VALUE_NONE:
        printf("nothing");
    }
}

static void print_origin(const struct decoder *decoder, size_t i)
{
    if (decoder->format == DECODE_CSV)
        printf("   (column %u)\n", decoder->positions[i]);
    else
        printf("   (%s)\n", decoder->fields[i]);
}

static void print_point(const struct reader *reader, size_t i)
{
    const struct point *point = &reader->settings->points[i];
    const struct reading *reading = &reader->reading;
    const struct value *value = reading_find(reading, point->name);

    printf("    %-20s ", point->name);
    if (value) {
        print_value(value);
        printf("%s%s", point->unit ? " " : "", point->unit ? point->unit : "");
    } else {
        for (size_t f = 0; f < reading->n_faults; f++)
            if (reading->faults[f].name == point->name)
                printf("bad: %s", reading->faults[f].reason);
    }
    print_origin(&reader->settings->decoder, i);
}

/* Texts as they are, everything else as C has it. */
static size_t print_character(const char *bytes, size_t size)
{
    size_t length = utf8_length(bytes, size);
    unsigned char c = (unsigned char)bytes[0];

    if (c >= '\a' && c <= '\r')
        printf("\\%c", "abtnvfr"[c - '\a']);
    else if (c == '\\')
        printf("\\\\");
    else if (length == 0 || c < 0x20 || c == 0x7F)
        printf("\\x%02x", c);
    else
        printf("%.*s", (int)length, bytes);
    return length > 0 ? length : 1;
}

static void on_bytes(void *self, bool out, const char *bytes, size_t size)
{
    (void)self;
    printf("  %c ", out ? '>' : '<');
    for (size_t i = 0; i < size;)
        i += print_character(bytes + i, size - i);
    printf("\n");
}

static void send_line(void *self, const char *line)
{
    struct once *once = self;

    link_send(once->link, line);
}

static bool next_write(void *self, struct board_write *out)
{
    (void)self;
    (void)out;
    return false;
}

/* A poll or stream is through with; after the last the loop ends. */
static void finish(struct once *once, size_t index)
{
    once->n_done += !once->done[index];
    once->done[index] = true;
    if (once->n_done == once->config->board.n_polls)
        loop_stop(once->loop);
}

static void on_taken(struct once *once, size_t index)
{
    const struct reader *reader = &once->readers.all[index];

    printf("    -> %s\n", reader->settings->measurement);
    for (size_t i = 0; i < reader->settings->n_points; i++)
        print_point(reader, i);
    once->n_answered += !once->done[index];
    finish(once, index);
}

static bool on_poll_line(void *self, size_t index, const char *line)
{
    struct once *once = self;

    if (!reader_take(&once->readers.all[index], line, clock_time_ms()))
        return false;
    on_taken(once, index);
    return true;
}

static int on_stream_line(void *self, const char *line)
{
    struct once *once = self;
    int index = readers_take_stream(&once->readers, line, clock_time_ms());

    if (index >= 0)
        on_taken(once, (size_t)index);
    else
        printf("    %s\n    none of the fields is in it: not taken for a reading\n", line);
    return index;
}

static void on_poll_failed(void *self, size_t poll)
{
    struct once *once = self;

    if (once->config->requests[poll].request)
        printf("    no reply within %lld ms\n", (long long)once->config->board.reply_ms);
    else
        printf("    %s: nothing came by itself within %lld ms\n",
               once->config->polls[poll].measurement,
               (long long)once->config->requests[poll].period_ms);
    finish(once, poll);
}

static void abandon(void *self)
{
    struct once *once = self;

    link_abandon(once->link);
}

/* Writes nothing, and resets nothing either. */
static void reset(void *self)
{
    (void)self;
}

static enum board_answer on_write_line(void *self, const char *line)
{
    (void)self;
    (void)line;
    return BOARD_NOT_MINE;
}

static void on_write_end(void *self, enum board_end end)
{
    (void)self;
    (void)end;
}

static const struct board_handlers board_handlers = {.send = send_line,
                                                     .next_write = next_write,
                                                     .on_poll_line = on_poll_line,
                                                     .on_poll_failed = on_poll_failed,
                                                     .on_stream_line = on_stream_line,
                                                     .abandon = abandon,
                                                     .reset = reset,
                                                     .on_write_line = on_write_line,
                                                     .on_write_end = on_write_end};

static void go_on(void *self)
{
    struct once *once = self;
    int64_t due;

    if (once->n_done == once->config->board.n_polls)
        return;
    board_run(&once->board, loop_now(once->loop));
    due = board_due_ms(&once->board, loop_now(once->loop));
    if (due != INT64_MAX)
        loop_timer_set(once->timer, due);
}

static void on_up(void *self)
{
    struct once *once = self;

    printf("  open; waiting up to %lld ms for the board to start\n",
           (long long)once->config->board.boot_ms);
    board_opened(&once->board, loop_now(once->loop));
    go_on(once);
}

static void on_line(void *self, const char *line)
{
    struct once *once = self;

    board_line(&once->board, line, loop_now(once->loop));
}

static void on_down(void *self, const char *reason)
{
    struct once *once = self;

    printf("  %s: %s\n", once->config->link.url, reason);
    loop_stop(once->loop);
}

static void on_limit(void *self)
{
    struct once *once = self;

    printf("  given up\n");
    loop_stop(once->loop);
}

static const struct link_handlers link_handlers = {.on_up = on_up,
                                                   .on_line = on_line,
                                                   .on_lines_end = go_on,
                                                   .on_bytes = on_bytes,
                                                   .on_down = on_down};

static int64_t limit_of(const struct board_config *config)
{
    int64_t limit_ms =
        SPARE_MS + config->board.boot_ms + 2 * config->board.reply_ms * BOARD_POLLS_MAX;

    for (size_t i = 0; i < config->board.n_polls; i++)
        limit_ms += config->requests[i].request ? 0 : config->requests[i].period_ms;
    return limit_ms;
}

static int open_parts(struct once *once)
{
    int error = loop_open(&once->loop);

    if (error == 0)
        error = readers_open(&once->readers, once->config);
    if (error == 0)
        error = loop_timer_open(&once->timer, once->loop, go_on, once);
    if (error == 0)
        error = loop_timer_open(&once->limit, once->loop, on_limit, once);
    if (error == 0)
        error = link_open(&once->link, once->loop, &once->config->link, &link_handlers, once);
    return error;
}

static void close_parts(struct once *once)
{
    struct link_stats stats = once->link ? link_stats(once->link) : (struct link_stats){0};

    if (stats.bad_lines + stats.long_lines > 0)
        printf("  dropped: %llu lines with %llu bytes that are no text, %llu lines too long\n",
               (unsigned long long)stats.bad_lines, (unsigned long long)stats.bad_bytes,
               (unsigned long long)stats.long_lines);
    link_close(once->link);
    loop_timer_close(once->limit);
    loop_timer_close(once->timer);
    loop_close(once->loop);
    readers_close(&once->readers);
}

/* Whether the board answered all its polls. */
static bool ask(const struct board_config *config)
{
    struct once once = {.config = config};

    printf("%s/%s on %s\n", config->location, config->device, config->link.url);
    board_init(&once.board, &config->board, &board_handlers, &once);
    if (open_parts(&once) == 0) {
        loop_timer_set(once.limit, loop_now(once.loop) + limit_of(config));
        loop_run(once.loop);
    }
    close_parts(&once);
    fflush(stdout);
    return once.n_answered == config->board.n_polls;
}

int once_run(const struct settings *settings)
{
    bool all = true;

    for (size_t i = 0; i < settings->n_boards; i++)
        all = ask(settings->boards[i]) && all;
    return all ? SERVICE_OK : SERVICE_UNAVAILABLE;
}
