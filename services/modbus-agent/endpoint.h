/* Where a bus is: its URL taken apart. Pure.
 *
 *     tcp://host:port                                        port 502 where none is given
 *     rtu:///dev/ttyUSB0?baud=19200&parity=even&stop=1       8 data bits always
 *
 * The defaults of a serial line are those of MODBUS over Serial Line V1.02, section 2.5.1: 19200
 * baud, even parity, one stop bit. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#define ENDPOINT_NAME_SIZE 256

struct endpoint {
    bool serial;
    char name[ENDPOINT_NAME_SIZE]; /* host, or path of the line */
    char port[6];                  /* TCP, decimal */
    int baud;
    char parity; /* 'N', 'E', 'O' */
    int stop_bits;
};

/* Returns 0, or -EINVAL with what is wrong in `error`. */
int endpoint_parse(struct endpoint *out, const char *url, char *error, size_t error_size);

/* Bits on a serial line for one byte: start, eight of data, parity, stop. */
unsigned endpoint_bits_per_byte(const struct endpoint *endpoint);

#endif
