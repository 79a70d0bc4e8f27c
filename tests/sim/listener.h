/* Accepts connections and makes a link of each. On a loop. */
#ifndef LISTENER_H
#define LISTENER_H

#include "link.h"

struct listener;

/* `address` is HOST:PORT, where port 0 takes a free one, or the path of a unix socket (it holds a
 * slash), which is removed at the end. `options` are copied. Returns 0 or -errno; -EINVAL for an
 * address that is neither, -EADDRNOTAVAIL for a host that is not known. */
int listener_open(struct listener **out, const struct link_options *options, const char *address);
void listener_close(struct listener *listener);     /* NULL is ignored */
int listener_port(const struct listener *listener); /* 0 for a unix socket */

#endif
