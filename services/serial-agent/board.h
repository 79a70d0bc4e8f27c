/* The conversation with one board over one wire: one request at a time, writes ahead of polls, each
 * with a time-out; what a breaker forbids is not asked; lines that the board says by itself, in
 * between and at any time, are streams. Pure: time passed in, no I/O; lines go out and what
 * happened is told through the handlers.
 *
 *   closed -> booting -> idle -> polling | writing -> idle
 *                          |         | time-out
 *                          |         v
 *                          |      settling -> idle      waits for the late line, so that it is not
 *                          |                            taken for the answer to the next request
 *                          -> awaiting -> idle          the stream that is to read a write back
 *
 * Opening a port resets many boards; until the first whole line, or until `boot_ms` are over,
 * nothing is asked. A board with polls is judged by its answers to them, one that only streams by
 * its streams. Whoever owns the wire calls board_run() after each event and again at
 * board_due_ms(). */
#ifndef BOARD_H
#define BOARD_H

#include "breaker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_POLLS_MAX 16

struct board_poll {
    const char *request; /* borrowed; without line end; NULL: a stream, the board talks by itself */
    int64_t period_ms;   /* of a stream: after so long a silence it counts as failed */
};

struct board_settings {
    int64_t boot_ms;
    int64_t reply_ms;   /* time-out of a request */
    unsigned threshold; /* of the breaker: requests without an answer in a row */
    int64_t open_ms;    /* of the breaker */
    bool reset_on_hang; /* the remedy where the breaker opens, then before each of its probes */
    const struct board_poll *polls; /* borrowed */
    size_t n_polls;                 /* 1 to BOARD_POLLS_MAX */
};

/* A write that is to go out. */
struct board_write {
    const char *line; /* borrowed until on_write_end() */
    int verify;       /* index of the poll that reads it back; -1: the reply alone confirms it */
    int64_t reply_ms; /* its time-out; 0: as for all requests */
    bool mute;        /* no reply comes; what is read back confirms it, or nothing does */
};

enum board_answer { BOARD_NOT_MINE, BOARD_CONFIRMED, BOARD_REFUSED };

enum board_end {
    BOARD_WRITTEN,    /* confirmed, and read back where that was asked for */
    BOARD_UNREAD,     /* confirmed, but the poll that was to read it back failed */
    BOARD_ERROR,      /* the board refused it */
    BOARD_UNANSWERED, /* no reply in time; nothing was read back */
    BOARD_UNSURE,     /* no reply in time, but what the device holds was read afterwards */
    BOARD_LOST        /* the port closed meanwhile */
};

struct board_handlers {
    void (*send)(void *self, const char *line);
    /* The next write, if there is one. */
    bool (*next_write)(void *self, struct board_write *out);
    /* A line came while this poll waits: whether it is its reply. */
    bool (*on_poll_line)(void *self, size_t poll, const char *line);
    /* No reply in time, or a stream is silent. */
    void (*on_poll_failed)(void *self, size_t poll);
    /* A line came that is no reply: the index of the stream that has taken it; -1: none. */
    int (*on_stream_line)(void *self, const char *line);
    /* A line that has begun to come is not waited for any more. */
    void (*abandon)(void *self);
    /* Resets the board; afterwards it boots. */
    void (*reset)(void *self);
    /* A line came while the write waits: what it means. */
    enum board_answer (*on_write_line)(void *self, const char *line);
    void (*on_write_end)(void *self, enum board_end end);
};

enum board_state {
    BOARD_CLOSED,
    BOARD_BOOTING,
    BOARD_IDLE,
    BOARD_POLLING,
    BOARD_WRITING,
    BOARD_SETTLING,
    BOARD_AWAITING
};

struct board_counters {
    uint64_t requests;   /* polls and writes sent */
    uint64_t timeouts;   /* of them, without an answer */
    uint64_t silences;   /* of streams */
    uint64_t resets;     /* of a board that hung */
    uint64_t boot_lines; /* heard while booting */
    uint64_t late;       /* lines dropped that came after their time-out */
    uint64_t unexpected; /* lines dropped that nobody asked for */
    uint64_t streamed;   /* lines that were a stream's */
};

struct board {
    const struct board_settings *settings; /* borrowed */
    const struct board_handlers *handlers; /* borrowed */
    void *self;
    enum board_state state;
    int64_t until_ms; /* when the state ends by itself */
    int64_t due_ms[BOARD_POLLS_MAX];
    bool asks;         /* there is a poll among the polls: not all are streams */
    bool reset_owed;   /* the remedy goes before the breaker's next probe */
    size_t poll;       /* the one that is polling */
    int verify;        /* the poll that is to read the last write back; -1: none */
    bool writing;      /* a write has begun and not ended: on_write_end() is owed */
    bool answered;     /* that write was confirmed */
    unsigned failures; /* requests without an answer since the last one */
    bool heard;        /* an answer came since the port was opened */
    struct breaker breaker;
    struct board_counters counters;
};

void board_init(struct board *board, const struct board_settings *settings,
                const struct board_handlers *handlers, void *self);

/* The port is open, and the breaker closed: what hung may have been unplugged for it. The port is
 * gone. */
void board_opened(struct board *board, int64_t now_ms);
void board_closed(struct board *board);

/* A whole line came. */
void board_line(struct board *board, const char *line, int64_t now_ms);

/* Does what is due: ends what took too long, sends the next request. */
void board_run(struct board *board, int64_t now_ms);

/* When board_run() has something to do again, INT64_MAX where only a line can bring that. */
int64_t board_due_ms(const struct board *board, int64_t now_ms);

#endif
