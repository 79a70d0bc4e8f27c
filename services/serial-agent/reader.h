/* Lines read as one measurement: decoded, their numbers watched, held to a pace, and several sent
 * at once where they come fast. Pure: the time is passed in. */
#ifndef READER_H
#define READER_H

#include "pace.h"
#include "reading.h"
#include "sequence.h"
#include "settings.h"

struct reader {
    const struct poll_settings *settings; /* borrowed */
    struct reading reading;               /* of the last line taken */
    struct sequence sequence;
    struct pace pace;
    struct pace sending;
    bool pending;        /* that reading is still to be published */
    bool collected;      /* released ones are still to be sent */
    uint64_t thinned;    /* readings that gave way to a newer one before their turn came */
    uint64_t bad_values; /* in the readings */
    char *texts;         /* what that reading's texts point into; owned */
    char *spare;         /* for the next line; owned */
};

/* For lines of at most `max_line` characters. Returns 0 or -ENOMEM. */
int reader_open(struct reader *reader, const struct poll_settings *settings, size_t max_line);
void reader_close(struct reader *reader); /* takes one that is all zero */

/* Whether the line is this measurement's: its reading is then in `reading`, texts and all, until
 * the next one is taken. */
bool reader_take(struct reader *reader, const char *line, int64_t time_ms);

/* No line came: a reading of which each point failed. */
void reader_fail(struct reader *reader, const char *reason, int64_t time_ms);

/* The reading is to be published; one that still was gives way to it. */
void reader_offer(struct reader *reader);

/* Whether it may be published now; then it is among those to be sent. */
bool reader_release(struct reader *reader, int64_t now_ms);

/* Whether what was released is to be sent now; then it has been. One that comes alone goes at once,
 * those that follow it within `gather_ms` go together. */
bool reader_send(struct reader *reader, int64_t now_ms);

/* When one of the two will next say yes; INT64_MAX where nothing waits. */
int64_t reader_due_ms(const struct reader *reader);

/* All readers of a board, one a poll or stream. */
struct readers {
    const struct board_config *board; /* borrowed */
    struct reader *all;               /* owned */
    size_t n;
};

int readers_open(struct readers *readers, const struct board_config *board); /* 0 or -ENOMEM */
void readers_close(struct readers *readers); /* takes one that is all zero */

/* The stream that takes the line, as reader_take(): its index; -1: none. */
int readers_take_stream(struct readers *readers, const char *line, int64_t time_ms);

#endif
