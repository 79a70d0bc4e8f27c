#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINK_RETRY_MS 10

struct parcel {
    struct parcel *next;
    int64_t due_ms;
    size_t size;
    size_t sent;
    uint8_t bytes[];
};

struct link {
    struct link *next; /* in options.links */
    struct link_options options;
    int fd;
    bool keep_fd;
    int64_t opened_ms;
    struct loop_timer *send_timer;
    struct loop_timer *quiet_timer;
    struct parcel *out; /* by due_ms */
    size_t out_size;
    size_t in_size;
    uint8_t in[LINK_IN_MAX];
};

static void link_unlist(struct link *link)
{
    struct link **at = &link->options.links->first;

    while (*at && *at != link)
        at = &(*at)->next;
    if (*at)
        *at = link->next;
}

void links_close(struct links *links)
{
    while (links->first)
        link_close(links->first);
}

void link_close(struct link *link)
{
    link_unlist(link);
    loop_unwatch(link->options.loop, link->fd);
    loop_timer_close(link->send_timer);
    loop_timer_close(link->quiet_timer);
    if (!link->keep_fd)
        close(link->fd);
    while (link->out) {
        struct parcel *next = link->out->next;

        free(link->out);
        link->out = next;
    }
    free(link);
}

static void link_lost(struct link *link)
{
    if (link->options.handlers->on_close)
        link->options.handlers->on_close(link->options.self, link);
    link_close(link);
}

/* Forgets what was consumed. Returns false where the handler hung up, and the link is gone. */
static bool link_consumed(struct link *link, long consumed)
{
    const struct link_handlers *handlers = link->options.handlers;

    if (consumed < 0 || (consumed == 0 && link->in_size == LINK_IN_MAX)) {
        link_lost(link);
        return false;
    }
    link->in_size -= (size_t)consumed;
    memmove(link->in, link->in + consumed, link->in_size);
    if (handlers->on_quiet && link->in_size > 0)
        loop_timer_set(link->quiet_timer, loop_now(link->options.loop) + handlers->quiet_ms);
    else
        loop_timer_cancel(link->quiet_timer);
    return true;
}

static void link_on_ready(void *self, short revents)
{
    struct link *link = self;
    ssize_t n = read(link->fd, link->in + link->in_size, LINK_IN_MAX - link->in_size);

    (void)revents;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        link_lost(link);
        return;
    }
    link->in_size += (size_t)n;
    link_consumed(
        link, link->options.handlers->on_bytes(link->options.self, link, link->in, link->in_size));
}

static void link_on_quiet(void *self)
{
    struct link *link = self;

    link_consumed(
        link, link->options.handlers->on_quiet(link->options.self, link, link->in, link->in_size));
}

/* Sends what is due and sets the timer for what is not. A lost far end is left to link_on_ready().
 */
static void link_flush(void *self)
{
    struct link *link = self;
    int64_t now_ms = loop_now(link->options.loop);

    while (link->out && link->out->due_ms <= now_ms) {
        struct parcel *parcel = link->out;
        ssize_t n = write(link->fd, parcel->bytes + parcel->sent, parcel->size - parcel->sent);

        if (n < 0) {
            loop_timer_set(link->send_timer, now_ms + LINK_RETRY_MS);
            return;
        }
        parcel->sent += (size_t)n;
        if (parcel->sent < parcel->size)
            continue;
        link->out = parcel->next;
        link->out_size -= parcel->size;
        free(parcel);
    }
    if (link->out)
        loop_timer_set(link->send_timer, link->out->due_ms);
}

void link_send(struct link *link, const void *bytes, size_t size, int64_t delay_ms)
{
    struct parcel *parcel = malloc(sizeof *parcel + size);
    struct parcel **at = &link->out;

    if (!parcel || link->out_size + size > LINK_OUT_MAX) {
        free(parcel); /* the far end does not read: as a full line buffer, it loses */
        return;
    }
    *parcel = (struct parcel){.due_ms = loop_now(link->options.loop) + delay_ms, .size = size};
    memcpy(parcel->bytes, bytes, size);
    while (*at && ((*at)->due_ms <= parcel->due_ms || (*at)->sent > 0))
        at = &(*at)->next;
    parcel->next = *at;
    *at = parcel;
    link->out_size += size;
    link_flush(link);
}

int64_t link_age_ms(const struct link *link)
{
    return loop_now(link->options.loop) - link->opened_ms;
}

int link_open(struct link **out, const struct link_options *options, int fd, bool keep_fd)
{
    struct link *link = calloc(1, sizeof *link);
    struct loop *loop = options->loop;

    if (!link)
        return -ENOMEM;
    link->options = *options;
    link->fd = fd;
    link->keep_fd = keep_fd;
    link->opened_ms = loop_now(loop);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (loop_timer_open(&link->send_timer, loop, link_flush, link) < 0 ||
        loop_timer_open(&link->quiet_timer, loop, link_on_quiet, link) < 0 ||
        loop_watch(loop, fd, POLLIN, link_on_ready, link) < 0) {
        link->keep_fd = true;
        link_close(link);
        return -ENOMEM;
    }
    link->next = options->links->first;
    options->links->first = link;
    *out = link;
    if (options->handlers->on_open)
        options->handlers->on_open(options->self, link);
    return 0;
}
