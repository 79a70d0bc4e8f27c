/* One wire to somebody: bytes in as they come, bytes out at once or later. On a loop. */
#ifndef LINK_H
#define LINK_H

#include "loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_IN_MAX 1024           /* bytes that may wait for the rest of a message */
#define LINK_OUT_MAX (1024 * 1024) /* bytes that may wait to be sent; more is lost */

struct link;

struct link_handlers {
    void (*on_open)(void *self, struct link *link); /* may be NULL */
    /* All bytes not yet consumed. Returns how many are done with, or a negative number to hang up.
     */
    long (*on_bytes)(void *self, struct link *link, const uint8_t *bytes, size_t size);
    /* No byte came for quiet_ms while some are waiting; returns as on_bytes. May be NULL. */
    long (*on_quiet)(void *self, struct link *link, const uint8_t *bytes, size_t size);
    int64_t quiet_ms;
    void (*on_close)(void *self, struct link *link); /* the far end is gone; may be NULL */
};

/* The links of one owner, so that it can close them all. Starts as `= {0}`. */
struct links {
    struct link *first;
};
void links_close(struct links *links);

struct link_options {
    struct loop *loop;
    struct links *links;                  /* borrowed; where the link is listed while it lives */
    const struct link_handlers *handlers; /* borrowed */
    void *self;
};

/* The descriptor, made non-blocking, becomes the link's and is closed with it, unless `keep_fd`.
 * The link frees itself after on_close. Returns 0 or -ENOMEM. */
int link_open(struct link **out, const struct link_options *options, int fd, bool keep_fd);
void link_close(struct link *link); /* without on_close; not from within its own handlers */

/* Sends a copy after delay_ms; what is due earlier goes first, otherwise in the order of sending.
 */
void link_send(struct link *link, const void *bytes, size_t size, int64_t delay_ms);

int64_t link_age_ms(const struct link *link);

#endif
