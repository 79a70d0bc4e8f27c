/* Host names to addresses without making the loop wait: the C library's own asynchronous look-up.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <netdb.h>

struct resolve;

/* Both copied. Returns 0, -ENOMEM or -EAGAIN. */
int resolve_open(struct resolve **out, const char *host, const char *port);

/* A look-up that cannot be called back any more is left to the C library with its memory. */
void resolve_close(struct resolve *resolve);

/* Returns 0 and the addresses, borrowed until resolve_close(); -EINPROGRESS; -EHOSTUNREACH for a
 * name that is none. */
int resolve_result(struct resolve *resolve, const struct addrinfo **out);

#endif
