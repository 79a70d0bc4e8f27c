/* The wire to a board: a serial port of this machine, or a TCP connection to one elsewhere
 * (ser2net, ESP-Link), raw or with its settings and modem lines (RFC 2217). Never blocks. */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PORT_BAUD_DEFAULT 9600 /* the Arduino world's */

struct port;

#define PORT_URL_SIZE 4096

enum port_parity { PORT_PARITY_NONE, PORT_PARITY_EVEN, PORT_PARITY_ODD };

/* Of a serial port; raw TCP has none of it. */
struct port_settings {
    int baud;      /* any that the device takes */
    int data_bits; /* 5 to 8 */
    enum port_parity parity;
    int stop_bits; /* 1 or 2 */
    bool dtr, rts; /* asserted while open */
};

/* "8N1" and the like: data bits, parity N, E or O, stop bits. Returns 0 or -EINVAL. */
int port_read_frame(struct port_settings *out, const char *text);

/* Starts to open `url`: "/dev/ttyUSB0" or another path of a terminal, "usb:VID:PID[:SERIAL]" for
 * the one that is such a device, "tcp://host:port" or "rfc2217://host:port". Terminals are as
 * terminal.h has them. Returns 0, or -errno: as terminal_open() and tcp_open(), -ENOENT or
 * -ENOTUNIQ where no USB device or several fit. */
int port_open(struct port **out, const char *url, const struct port_settings *settings);
void port_close(struct port *port);

/* Returns 0 once the port can be used; -EINPROGRESS: ask again when port_fd() is ready for what
 * port_awaits() says, in poll()'s terms, or, while it is -1 (the name is being looked up), a little
 * later; -errno where it failed, as tcp_ready() and comport_ready(). */
int port_ready(struct port *port);
short port_awaits(const struct port *port);
int port_fd(const struct port *port); /* borrowed */

/* Return the bytes moved, 0 where nothing can be moved now, -EPIPE once the other side is gone,
 * another -errno. */
ssize_t port_read(struct port *port, void *out, size_t size);
ssize_t port_write(struct port *port, const void *bytes, size_t size);

/* Sets the modem lines; nothing on raw TCP and on terminals that have none. */
void port_set_lines(struct port *port, bool dtr, bool rts);
void port_flush(struct port *port); /* drops what has come and was not read; as far as it goes */

/* The path of the terminal that `url` names now. Returns 0, or -errno as port_open(); -ENOTTY for
 * TCP. */
int port_path(char out[PORT_URL_SIZE], const char *url);
bool port_has_lines(const char *url); /* whether a url of that form leads to modem lines */

/* Whether `url` has a form that port_open() takes. */
int port_check(const char *url); /* 0 or -EINVAL */

#endif
