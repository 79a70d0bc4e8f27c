/* Where a bus is: its URL taken apart. Pure.
 *
 *     tcp://host:port                                        port 502 where none is given
 *     tls://host:port                                        Modbus/TCP Security, port 802
 *     rtu:///dev/ttyUSB0?baud=19200&parity=even&stop=1       8 data bits always
 *     rtu+tcp://host:port?baud=19200                         RTU frames through a gateway; what is
 * said of the line behind it is for --plan
 *
 * A line of its own takes besides: rs485=on, where the adapter's driver is to switch to sending
 * (TIOCSRS485), or rts=up|down, where we are to do it by RTS, with rts_delay=MICROSECONDS around
 * it. The defaults of a serial line are those of MODBUS over Serial Line V1.02, section 2.5.1:
 * 19200 baud, even parity, one stop bit. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#define ENDPOINT_NAME_SIZE 256

enum endpoint_rts { ENDPOINT_RTS_NONE, ENDPOINT_RTS_UP, ENDPOINT_RTS_DOWN };

struct endpoint {
    bool tls;
    bool serial;  /* RTU frames, so one unit after the other and no transaction numbers */
    bool gateway; /* of these: through a TCP connection */
    char name[ENDPOINT_NAME_SIZE]; /* host, or path of the line */
    char port[6];                  /* TCP, decimal; empty for a line */
    int baud;
    char parity; /* 'N', 'E', 'O' */
    int stop_bits;
    bool rs485;
    enum endpoint_rts rts; /* level while sending */
    int rts_delay_us;      /* before and after; -1: as long as a byte takes */
};

/* Returns 0, or -EINVAL with what is wrong in `error`. */
int endpoint_parse(struct endpoint *out, const char *url, char *error, size_t error_size);

/* Bits on a serial line for one byte: start, eight of data, parity, stop. */
unsigned endpoint_bits_per_byte(const struct endpoint *endpoint);

#endif
