#include "endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(char *error, size_t size, const char *what)
{
    snprintf(error, size, "%s", what);
    return -EINVAL;
}

/* Copies `length` bytes of text; false where it is empty or does not fit. */
static bool copy(char *out, size_t size, const char *text, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static bool digits(const char *text, long max, long *out)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *out = strtol(text, &end, 10);
    return *end == '\0' && *out > 0 && *out <= max;
}

static int parse_tcp(struct endpoint *out, const char *rest, char *error, size_t size)
{
    const char *host = rest;
    const char *end = strchr(rest, ':');
    const char *port = out->tls ? "802" : "502"; /* IANA: mbap and mbap-s */
    long number;

    if (*rest == '[') { /* an IPv6 address */
        host = rest + 1;
        end = strchr(host, ']');
        if (!end || (end[1] != ':' && end[1] != '\0'))
            return refuse(error, size, "an IPv6 address is written tcp://[address]:port");
        if (end[1] == ':')
            port = end + 2;
    } else if (end) {
        port = end + 1;
    } else {
        end = rest + strlen(rest);
    }
    if (!copy(out->name, sizeof out->name, host, (size_t)(end - host)))
        return refuse(error, size, "has no host: tcp://host:port is meant");
    if (!digits(port, 65535, &number))
        return refuse(error, size, "has no port from 1 to 65535: tcp://host:port is meant");
    snprintf(out->port, sizeof out->port, "%ld", number);
    return 0;
}

/* What is so of every serial line. False where it is none of that. */
static bool parse_line_option(struct endpoint *out, const char *option)
{
    long number;

    if (strncmp(option, "baud=", 5) == 0 && digits(option + 5, 4000000, &number))
        out->baud = (int)number;
    else if (strcmp(option, "parity=none") == 0)
        out->parity = 'N';
    else if (strcmp(option, "parity=even") == 0)
        out->parity = 'E';
    else if (strcmp(option, "parity=odd") == 0)
        out->parity = 'O';
    else if (strncmp(option, "stop=", 5) == 0 && digits(option + 5, 2, &number))
        out->stop_bits = (int)number;
    else
        return false;
    return true;
}

/* What is so of a line of our own only. */
static bool parse_adapter_option(struct endpoint *out, const char *option)
{
    long number;

    if (strcmp(option, "rs485=on") == 0)
        out->rs485 = true;
    else if (strcmp(option, "rts=up") == 0)
        out->rts = ENDPOINT_RTS_UP;
    else if (strcmp(option, "rts=down") == 0)
        out->rts = ENDPOINT_RTS_DOWN;
    else if (strncmp(option, "rts_delay=", 10) == 0 && digits(option + 10, 1000000, &number))
        out->rts_delay_us = (int)number;
    else
        return false;
    return true;
}

/* Options "a=b&c=d"; NULL: none. */
static int parse_options(struct endpoint *out, const char *text, char *error, size_t size)
{
    char option[64];

    while (text) {
        const char *end = strchr(text, '&');

        if (!copy(option, sizeof option, text, end ? (size_t)(end - text) : strlen(text)))
            return refuse(error, size, "has an empty option behind '?' or '&'");
        if (!parse_line_option(out, option) && (out->gateway || !parse_adapter_option(out, option)))
            return refuse(error, size,
                          out->gateway
                              ? "takes the options baud=NUMBER, parity=none|even|odd and stop=1|2"
                              : "takes the options baud=NUMBER, parity=none|even|odd, stop=1|2, "
                                "rs485=on, rts=up|down and rts_delay=MICROSECONDS");
        text = end ? end + 1 : NULL;
    }
    if (out->rs485 && out->rts != ENDPOINT_RTS_NONE)
        return refuse(error, size, "says both rs485 and rts: one of the two switches the line");
    return 0;
}

static int parse_rtu(struct endpoint *out, const char *rest, char *error, size_t size)
{
    const char *query = strchr(rest, '?');
    size_t length = query ? (size_t)(query - rest) : strlen(rest);

    if (*rest != '/' || !copy(out->name, sizeof out->name, rest, length))
        return refuse(error, size, "names no line: rtu:///dev/ttyUSB0 is meant");
    return parse_options(out, query ? query + 1 : NULL, error, size);
}

static int parse_gateway(struct endpoint *out, const char *rest, char *error, size_t size)
{
    const char *query = strchr(rest, '?');
    char place[ENDPOINT_NAME_SIZE + 16];

    out->gateway = true;
    if (!copy(place, sizeof place, rest, query ? (size_t)(query - rest) : strlen(rest)))
        return refuse(error, size, "has no host: rtu+tcp://host:port is meant");
    if (parse_tcp(out, place, error, size) != 0)
        return -EINVAL;
    return parse_options(out, query ? query + 1 : NULL, error, size);
}

int endpoint_parse(struct endpoint *out, const char *url, char *error, size_t error_size)
{
    *out = (struct endpoint){.baud = 19200, .parity = 'E', .stop_bits = 1, .rts_delay_us = -1};
    if (strncmp(url, "tcp://", 6) == 0)
        return parse_tcp(out, url + 6, error, error_size);
    if (strncmp(url, "tls://", 6) == 0) {
        out->tls = true;
        return parse_tcp(out, url + 6, error, error_size);
    }
    if (strncmp(url, "rtu://", 6) == 0) {
        out->serial = true;
        return parse_rtu(out, url + 6, error, error_size);
    }
    if (strncmp(url, "rtu+tcp://", 10) == 0) {
        out->serial = true;
        return parse_gateway(out, url + 10, error, error_size);
    }
    return refuse(error, error_size,
                  "is no bus: tcp://host:port, tls://host:port, rtu:///dev/ttyUSB0?baud=19200 or "
                  "rtu+tcp://host:port is meant");
}

unsigned endpoint_bits_per_byte(const struct endpoint *endpoint)
{
    return 1 + 8 + (endpoint->parity != 'N') + (unsigned)endpoint->stop_bits;
}
