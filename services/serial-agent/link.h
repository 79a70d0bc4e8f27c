/* Keeps a port open and speaks lines over it: opens it, opens it again with back-off after it was
 * lost, closes it at once when the other side hangs up. On the loop. */
#ifndef LINK_H
#define LINK_H

#include "backoff.h"
#include "checksum.h"
#include "loop.h"
#include "port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_settings {
    const char *url; /* as port_open() takes it; borrowed */
    struct port_settings port;
    bool reset_on_open;      /* by the modem lines, as link_reset() */
    const char *line_ends;   /* each of these ends a line that comes; borrowed */
    const char *request_end; /* put behind each that goes; borrowed */
    size_t max_line;
    enum checksum_kind checksum; /* of the lines that come */
    bool sums_requests;          /* and of those that go */
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
};

struct link_handlers {
    void (*on_up)(void *self);
    void (*on_line)(void *self, const char *line); /* borrowed for the call */
    void (*on_lines_end)(void *self); /* after one or more of them: nothing more has come yet */
    /* Bytes went out or came in, as they are; NULL where nobody wants to see them. */
    void (*on_bytes)(void *self, bool out, const char *bytes, size_t size);
    /* Lost, or could not be opened: `reason` is a sentence, borrowed for the call. */
    void (*on_down)(void *self, const char *reason);
};

struct link_stats {
    uint64_t opened;
    uint64_t failures; /* openings that failed, and losses */
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t lines; /* whole and good ones; the rest as framing.h counts them */
    uint64_t long_lines;
    uint64_t bad_lines;
    uint64_t bad_bytes;
    uint64_t bad_sums;
    uint64_t cut_lines;
    uint64_t overruns; /* lines not sent, since the board takes nothing */
};

struct link;

/* Begins to open the port at once; no handler is called before this has returned. Settings are
 * borrowed, handlers copied. Returns 0 or -ENOMEM. */
int link_open(struct link **out, struct loop *loop, const struct link_settings *settings,
              const struct link_handlers *handlers, void *self);
void link_close(struct link *link); /* takes NULL; not from within a handler */

/* Sends the line, its checksum where there is to be one, and its end. Nothing where the link is
 * down. */
void link_send(struct link *link, const char *line);

/* As framing_abandon(). */
void link_abandon(struct link *link);

/* Resets the board by the port's DTR and RTS, as an Arduino's boot loader is called; what comes and
 * goes meanwhile is dropped. Does nothing on wires without them. */
void link_reset(struct link *link);

struct link_stats link_stats(const struct link *link);

#endif
