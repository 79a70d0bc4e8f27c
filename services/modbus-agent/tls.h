/* Modbus/TCP Security: a TCP connection made into a TLS one, for somebody who can only read and
 * write a socket. Source: MODBUS/TCP Security Protocol Specification (MB-TCP-Security v36,
 * 2021-07-30), sections 5 to 8: TLS 1.2 or newer, both sides prove who they are by a certificate,
 * and what a client may do is said by the role in its certificate, extension
 * 1.3.6.1.4.1.50316.802.1.
 *
 * libmodbus can neither speak TLS nor be given read and write functions of our own. So it gets one
 * end of a socket pair, and a thread carries everything between the other end and the TLS
 * connection: it decides nothing, and ends when either side does. The only owner of OpenSSL.
 *
 * SIGPIPE must be blocked or ignored. */
#ifndef TLS_H
#define TLS_H

#include <stddef.h>
#include <stdint.h>

struct tls_options {
    const char *ca_file;     /* PEM: who may sign the server's certificate */
    const char *cert_file;   /* PEM: ours, with those that lead to the root */
    const char *key_file;    /* PEM */
    const char *server_name; /* that the server's certificate must be for, a name or an address */
};

struct tls;

/* Takes ownership of the connected, non-blocking socket, also where it fails. Gives away `out_fd`,
 * to be read and written in its place. Returns 0, or -errno with a sentence in `error`: -EPROTO
 * where one side does not accept the other, -ETIMEDOUT after `timeout_ms`. */
int tls_open(struct tls **out, int *out_fd, const struct tls_options *options, int socket_fd,
             int64_t timeout_ms, char *error, size_t error_size);

/* To be called after `out_fd` was closed, which ends the thread. */
void tls_close(struct tls *tls);

/* For the log: version, who the server is, both roles. Borrowed. */
const char *tls_about(const struct tls *tls);

#endif
