/* Opens a TCP connection within a time. */
#ifndef DIAL_H
#define DIAL_H

#include <stddef.h>
#include <stdint.h>

/* Tries the addresses of `host` one after the other, `timeout_ms` for each; looking the name up
 * takes what the system's resolver takes. Gives away a non-blocking socket without Nagle's delay
 * and with TCP_USER_TIMEOUT, so that a pulled cable is noticed. Returns 0, or -errno with a
 * sentence in `error`: -EHOSTUNREACH for a name that is none. */
int dial(int *out_fd, const char *host, const char *port, int64_t timeout_ms, char *error,
         size_t error_size);

#endif
