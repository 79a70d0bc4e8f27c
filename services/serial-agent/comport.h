/* A serial port at the other end of a telnet connection: its settings, modem lines and bytes, as
 * RFC 2217 has them (telnet itself: RFC 854). The only file that knows libtelnet. */
#ifndef COMPORT_H
#define COMPORT_H

#include "port.h"

#include <sys/types.h>

struct comport;

/* Begins to ask for the port over `fd`, a connected socket; it is borrowed, the settings are
 * copied. Returns 0, -ENOMEM or -errno of the sending. */
int comport_open(struct comport **out, int fd, const struct port_settings *settings);
void comport_close(struct comport *comport); /* takes NULL */

/* Returns 0 once the port is set as wanted; -EINPROGRESS: ask again when there is something to
 * read, and give up after a while, since who knows no RFC 2217 says nothing; -EINVAL where it set
 * another baud rate; another -errno. */
int comport_ready(struct comport *comport);

/* As port_read() and port_write(). What the socket does not take at once has ended the connection:
 * requests are small against its buffer. */
ssize_t comport_read(struct comport *comport, void *out, size_t size);
ssize_t comport_write(struct comport *comport, const void *bytes, size_t size);

void comport_set_lines(struct comport *comport, bool dtr, bool rts);
void comport_flush(struct comport *comport);

#endif
