/* The connection of one bus, kept up: dialled again after a loss, never faster than its back-off
 * allows. For one thread. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "backoff.h"
#include "bus.h"
#include "settings.h"
#include "tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection {
    const struct tally *tally; /* borrowed */
    struct bus *bus;           /* owned */
    struct backoff backoff;
    bool up;
    int64_t retry_ms; /* while it is not up: not dialled before */
};

/* Nothing is dialled yet. All borrowed. Returns 0 or -ENOMEM. */
int connection_open(struct connection *out, const struct bus_settings *settings,
                    const struct tally *tally);
void connection_close(struct connection *connection);

/* Dials. Returns 0, or -errno with a sentence in `error`, and then sets when to try again. */
int connection_dial(struct connection *connection, char *error, size_t error_size);

/* The link is gone. */
void connection_lose(struct connection *connection);

/* A request got an answer, or the link at least stood for its time. Only this ends the back-off: a
 * peer that takes connections and hangs up would else be dialled without a pause. */
void connection_works(struct connection *connection);

/* As bus_read() and bus_write(), where the other side had hung up since the last request on a fresh
 * connection: never -ESTALE. */
int connection_read(struct connection *connection, unsigned unit, const struct span *span,
                    uint16_t *cells);
int connection_write(struct connection *connection, unsigned unit, const struct span *span,
                     const uint16_t *cells);

#endif
