#include "link.h"

#include "buffer.h"
#include "draw.h"
#include "framing.h"
#include "holder.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_UP_TICK_MS 10
#define OPEN_TIMEOUT_MS 10000
#define RESET_MS 250 /* what avrdude lets DTR and RTS rest for */
#define REASON_SIZE 128
#define OUT_MAX 4096 /* bytes that wait to be sent at most */
#define READ_SIZE 4096
#define READS_AT_ONCE 16 /* then the others have their turn */

struct link {
    struct loop *loop; /* borrowed */
    const struct link_settings *settings;
    struct link_handlers handlers;
    void *self;
    struct port *port; /* NULL while waiting to open again */
    bool up;
    bool resetting;     /* the modem lines are off, until the timer sets them again */
    int64_t give_up_ms; /* of the opening */
    struct loop_timer *timer;
    struct backoff backoff;
    struct buffer out;
    struct framing framing;
    struct link_stats stats;
};

static void on_ready(void *self, short revents);

static void describe_busy(char out[REASON_SIZE], const char *url)
{
    char path[PORT_URL_SIZE];
    char name[HOLDER_NAME_SIZE];
    pid_t pid = port_path(path, url) == 0 ? holder_find(path, name) : 0;

    if (pid == getpid())
        snprintf(out, REASON_SIZE, "in use by another device of this configuration");
    else if (pid > 0)
        snprintf(out, REASON_SIZE, "in use by process %d (%s)", (int)pid, name);
    else
        snprintf(out, REASON_SIZE, "in use by another process");
}

static void describe(char out[REASON_SIZE], int error, const char *url)
{
    const char *text = strerror(-error);

    switch (error) {
    case -EBUSY:
        describe_busy(out, url);
        return;
    case -EPIPE:
        text = "the other side hung up";
        break;
    case -EINVAL:
        text = "the port does not take its settings (\"baud\", \"frame\")";
        break;
    case -ENOTTY:
        text = "not a serial port";
        break;
    case -ENOTUNIQ:
        text = "several such devices are there: name one by /dev/serial/by-path (--scan)";
        break;
    case -EPROTONOSUPPORT:
        text = "nobody there knows RFC 2217; \"tcp://\" is for raw connections";
        break;
    case -EHOSTUNREACH:
        text = "no such host, or no way to it";
    }
    snprintf(out, REASON_SIZE, "%s", text);
}

static void lose(struct link *link, int error)
{
    int64_t wait = backoff_next(&link->backoff, draw(), 0);
    char reason[REASON_SIZE];

    if (link->port && port_fd(link->port) >= 0)
        loop_unwatch(link->loop, port_fd(link->port));
    port_close(link->port);
    link->port = NULL;
    link->up = false;
    link->resetting = false;
    link->stats.failures++;
    framing_reset(&link->framing);
    buffer_clear(&link->out);
    loop_timer_set(link->timer, loop_now(link->loop) + wait);
    describe(reason, error, link->settings->url);
    link->handlers.on_down(link->self, reason);
}

static void watch(struct link *link)
{
    short events = link->out.size > 0 ? POLLIN | POLLOUT : POLLIN;

    if (!link->up)
        events = port_awaits(link->port);
    if (loop_watch(link->loop, port_fd(link->port), events, on_ready, link) != 0)
        lose(link, -ENOMEM);
}

/* The descriptor can change while one address after the other is tried. */
static void settle(struct link *link)
{
    int before = port_fd(link->port);
    int error;

    if (before >= 0)
        loop_unwatch(link->loop, before);
    error = port_ready(link->port);
    if (error == -EINPROGRESS && loop_now(link->loop) >= link->give_up_ms)
        error = port_awaits(link->port) == POLLIN ? -EPROTONOSUPPORT : -ETIMEDOUT;
    if (error == -EINPROGRESS) {
        loop_timer_set(link->timer, port_fd(link->port) < 0 ? loop_now(link->loop) + LOOK_UP_TICK_MS
                                                            : link->give_up_ms);
        if (port_fd(link->port) >= 0)
            watch(link);
        return;
    }
    if (error) {
        lose(link, error);
        return;
    }
    loop_timer_cancel(link->timer);
    link->up = true;
    link->stats.opened++;
    watch(link);
    if (!link->up)
        return;
    if (link->settings->reset_on_open)
        link_reset(link);
    link->handlers.on_up(link->self);
}

void link_reset(struct link *link)
{
    if (!link->up || !port_has_lines(link->settings->url))
        return;
    link->resetting = true;
    buffer_clear(&link->out);
    port_set_lines(link->port, false, false);
    loop_timer_set(link->timer, loop_now(link->loop) + RESET_MS);
}

static void end_reset(struct link *link)
{
    link->resetting = false;
    port_flush(link->port);
    framing_reset(&link->framing);
    port_set_lines(link->port, link->settings->port.dtr, link->settings->port.rts);
}

static void on_time(void *self)
{
    struct link *link = self;
    int error = 0;

    if (link->resetting) {
        end_reset(link);
        return;
    }
    if (!link->port) {
        error = port_open(&link->port, link->settings->url, &link->settings->port);
        link->give_up_ms = loop_now(link->loop) + OPEN_TIMEOUT_MS;
    }
    if (error)
        lose(link, error);
    else
        settle(link);
}

int link_open(struct link **out, struct loop *loop, const struct link_settings *settings,
              const struct link_handlers *handlers, void *self)
{
    struct link *link = calloc(1, sizeof *link);
    int error;

    if (!link)
        return -ENOMEM;
    link->loop = loop;
    link->settings = settings;
    link->handlers = *handlers;
    link->self = self;
    link->backoff = (struct backoff){.first_ms = settings->backoff_first_ms,
                                     .max_ms = settings->backoff_max_ms};
    framing_init(&link->framing, settings->line_ends, settings->max_line, settings->checksum);
    error = loop_timer_open(&link->timer, loop, on_time, link);
    if (error) {
        free(link);
        return error;
    }
    loop_timer_set(link->timer, loop_now(loop));
    *out = link;
    return 0;
}

void link_close(struct link *link)
{
    if (!link)
        return;
    if (link->port && port_fd(link->port) >= 0)
        loop_unwatch(link->loop, port_fd(link->port));
    port_close(link->port);
    loop_timer_close(link->timer);
    buffer_free(&link->out);
    free(link);
}

static void show(const struct link *link, bool out, const char *bytes, ssize_t n)
{
    if (n > 0 && link->handlers.on_bytes)
        link->handlers.on_bytes(link->self, out, bytes, (size_t)n);
}

/* Returns the bytes taken or an error as port_read(). */
static ssize_t take(struct link *link, bool *said)
{
    char bytes[READ_SIZE];
    ssize_t n = port_read(link->port, bytes, sizeof bytes);
    const char *at = bytes;
    size_t left = n > 0 ? (size_t)n : 0;
    const char *line;

    link->stats.bytes_in += left;
    show(link, false, bytes, n);
    if (link->resetting)
        return n;
    while ((line = framing_next(&link->framing, &at, &left)) != NULL) {
        backoff_reset(&link->backoff); /* it speaks: only now the opening was a success */
        link->handlers.on_line(link->self, line);
        *said = true;
    }
    return n;
}

/* Less than was asked for is all that there is; what was said before a hang-up is still read, as
 * the loop comes here again. Returns as take(). */
static ssize_t take_all(struct link *link)
{
    bool said = false;
    ssize_t n = READ_SIZE;

    for (int i = 0; i < READS_AT_ONCE && n == READ_SIZE; i++)
        n = take(link, &said);
    if (said)
        link->handlers.on_lines_end(link->self);
    return n;
}

/* Sends what waits; 0 or an error as port_write(). */
static int flush(struct link *link)
{
    ssize_t n = 1;
    size_t sent = 0;

    while (n > 0 && sent < link->out.size) {
        n = port_write(link->port, link->out.data + sent, link->out.size - sent);
        show(link, true, link->out.data + sent, n);
        sent += n > 0 ? (size_t)n : 0;
    }
    link->stats.bytes_out += sent;
    if (sent > 0) {
        memmove(link->out.data, link->out.data + sent, link->out.size - sent);
        link->out.size -= sent;
    }
    return n < 0 ? (int)n : 0;
}

static void on_ready(void *self, short revents)
{
    struct link *link = self;
    ssize_t n;
    int error;

    if (!link->up) {
        settle(link);
        return;
    }
    n = take_all(link);
    error = n < 0 ? (int)n : flush(link);
    if (error == 0 && n == 0 && (revents & (POLLHUP | POLLERR | POLLNVAL)))
        error = -EPIPE;
    if (error)
        lose(link, error);
    else
        watch(link);
}

void link_send(struct link *link, const char *line)
{
    char sum[CHECKSUM_SIZE] = "";

    if (!link->up || link->resetting)
        return;
    if (link->settings->sums_requests)
        checksum_write(link->settings->checksum, line, strlen(line), sum);
    if (link->out.size + strlen(line) + strlen(sum) + strlen(link->settings->request_end) >
        OUT_MAX) {
        link->stats.overruns++;
        return;
    }
    buffer_text(&link->out, line);
    buffer_text(&link->out, sum);
    buffer_text(&link->out, link->settings->request_end);
    /* An error shows again when the loop finds the descriptor ready, and is dealt with there. */
    flush(link);
    if (link->out.size > 0)
        loop_watch(link->loop, port_fd(link->port), POLLIN | POLLOUT, on_ready, link);
}

void link_abandon(struct link *link)
{
    framing_abandon(&link->framing);
}

struct link_stats link_stats(const struct link *link)
{
    struct link_stats stats = link->stats;

    stats.lines = link->framing.lines;
    stats.long_lines = link->framing.long_lines;
    stats.bad_lines = link->framing.bad_lines;
    stats.bad_bytes = link->framing.bad_bytes;
    stats.bad_sums = link->framing.bad_sums;
    stats.cut_lines = link->framing.cut_lines;
    return stats;
}
