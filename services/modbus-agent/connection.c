#include "connection.h"

#include "clock.h"
#include "draw.h"

#include <errno.h>

int connection_open(struct connection *out, const struct bus_settings *settings,
                    const struct tally *tally)
{
    struct bus_options options = {.endpoint = &settings->endpoint,
                                  .tls = &settings->tls,
                                  .timeout_ms = settings->timeout_ms,
                                  .connect_timeout_ms = settings->connect_timeout_ms};

    *out = (struct connection){
        .tally = tally,
        .backoff = {.first_ms = settings->backoff_first_ms, .max_ms = settings->backoff_max_ms}};
    return bus_open(&out->bus, &options);
}

void connection_close(struct connection *connection)
{
    bus_close(connection->bus);
    *connection = (struct connection){0};
}

static void retry_later(struct connection *connection)
{
    connection->up = false;
    connection->retry_ms = clock_now_ms() + backoff_next(&connection->backoff, draw(), 0);
}

int connection_dial(struct connection *connection, char *error, size_t error_size)
{
    const struct tally *tally = connection->tally;
    int rc = bus_connect(connection->bus, error, error_size);

    health_raise(rc == 0 ? tally->connects : tally->connect_failures, 1);
    connection->up = rc == 0;
    if (rc != 0)
        retry_later(connection);
    return rc;
}

void connection_lose(struct connection *connection)
{
    health_raise(connection->tally->losses, 1);
    bus_disconnect(connection->bus);
    retry_later(connection);
}

void connection_works(struct connection *connection)
{
    backoff_reset(&connection->backoff);
}

/* After a request found that the other side had hung up. Returns 0, or -errno by which the link is
 * lost: a time-out would be the unit's. */
static int reopen(struct connection *connection)
{
    char error[128];
    int rc = bus_connect(connection->bus, error, sizeof error);

    health_raise(rc == 0 ? connection->tally->connects : connection->tally->connect_failures, 1);
    return rc == 0 || bus_link_lost(rc) ? rc : -ENOTCONN;
}

int connection_read(struct connection *connection, unsigned unit, const struct span *span,
                    uint16_t *cells)
{
    int result = bus_read(connection->bus, unit, span, cells);

    if (result != -ESTALE)
        return result;
    result = reopen(connection);
    return result == 0 ? bus_read(connection->bus, unit, span, cells) : result;
}

int connection_write(struct connection *connection, unsigned unit, const struct span *span,
                     const uint16_t *cells)
{
    int result = bus_write(connection->bus, unit, span, cells);

    if (result != -ESTALE)
        return result;
    result = reopen(connection);
    return result == 0 ? bus_write(connection->bus, unit, span, cells) : result;
}
