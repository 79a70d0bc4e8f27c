/* The wire to a board: a serial port of this machine, or a TCP connection to one elsewhere
 * (ser2net, ESP-Link). Never blocks. The only file that knows termios. */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PORT_BAUD_DEFAULT 9600 /* the Arduino world's */

struct port;

/* Starts to open `url`: "/dev/ttyUSB0" or another path of a terminal, or "tcp://host:port". `baud`,
 * any that the device takes, counts for terminals alone: 8N1, raw, no flow control, exclusive, and
 * without the hang-up on close that resets an Arduino. Returns 0, or -errno: -EBUSY where another
 * process has it, -ENOTTY, -EINVAL for a baud rate that the device refuses or a bad url. */
int port_open(struct port **out, const char *url, int baud);
void port_close(struct port *port);

/* Returns 0 once the port can be used; -EINPROGRESS: ask again when port_fd() is writable or, while
 * it is -1 (the name is being looked up), a little later; -errno where it failed. */
int port_ready(struct port *port);
int port_fd(const struct port *port); /* borrowed */

/* Return the bytes moved, 0 where nothing can be moved now, -EPIPE once the other side is gone,
 * another -errno. */
ssize_t port_read(struct port *port, void *out, size_t size);
ssize_t port_write(struct port *port, const void *bytes, size_t size);

/* Whether `url` has a form that port_open() takes. */
int port_check(const char *url); /* 0 or -EINVAL */

#endif
