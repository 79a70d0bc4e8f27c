#include "port.h"

#include "comport.h"
#include "tcp.h"
#include "terminal.h"
#include "usb.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_SCHEME "tcp://"
#define RFC2217_SCHEME "rfc2217://"
#define USB_SCHEME "usb:"

struct port {
    struct port_settings settings;
    bool remote;             /* has a serial port at the other end of `tcp` */
    struct tcp *tcp;         /* NULL: a terminal */
    struct comport *comport; /* that remote port, once connected */
    int terminal;            /* -1: none */
};

/* What follows the scheme, NULL where the url has another one. */
static const char *after(const char *url, const char *scheme)
{
    return strncmp(url, scheme, strlen(scheme)) == 0 ? url + strlen(scheme) : NULL;
}

static const char *address_of(const char *url)
{
    const char *address = after(url, TCP_SCHEME);

    return address ? address : after(url, RFC2217_SCHEME);
}

bool port_has_lines(const char *url)
{
    return !after(url, TCP_SCHEME);
}

int port_path(char out[PORT_URL_SIZE], const char *url)
{
    if (address_of(url))
        return -ENOTTY;
    if (after(url, USB_SCHEME))
        return usb_find(out, PORT_URL_SIZE, "", url);
    return snprintf(out, PORT_URL_SIZE, "%s", url) < PORT_URL_SIZE ? 0 : -ENAMETOOLONG;
}

int port_read_frame(struct port_settings *out, const char *text)
{
    static const char parities[] = "NEO";
    const char *parity;

    if (strlen(text) != 3 || !strchr("5678", text[0]) || !strchr("12", text[2]))
        return -EINVAL;
    parity = strchr(parities, text[1]);
    if (!parity)
        return -EINVAL;
    out->data_bits = text[0] - '0';
    out->parity = (enum port_parity)(parity - parities);
    out->stop_bits = text[2] - '0';
    return 0;
}

int port_check(const char *url)
{
    if (address_of(url))
        return tcp_check(address_of(url));
    if (after(url, USB_SCHEME))
        return usb_check(url);
    return url[0] == '/' ? 0 : -EINVAL;
}

static int open_terminal(struct port *port, const char *url)
{
    char path[PORT_URL_SIZE];
    int error = port_path(path, url);

    if (error)
        return error;
    port->terminal = terminal_open(path, &port->settings);
    return port->terminal < 0 ? port->terminal : 0;
}

int port_open(struct port **out, const char *url, const struct port_settings *settings)
{
    struct port *port = calloc(1, sizeof *port);
    int error;

    if (!port)
        return -ENOMEM;
    port->settings = *settings;
    port->remote = after(url, RFC2217_SCHEME) != NULL;
    port->terminal = -1;
    error = address_of(url) ? tcp_open(&port->tcp, address_of(url)) : open_terminal(port, url);
    if (error) {
        port_close(port);
        return error;
    }
    *out = port;
    return 0;
}

void port_close(struct port *port)
{
    if (!port)
        return;
    if (port->terminal >= 0)
        close(port->terminal);
    comport_close(port->comport);
    tcp_close(port->tcp);
    free(port);
}

int port_ready(struct port *port)
{
    int error = 0;

    if (port->tcp && !port->comport)
        error = tcp_ready(port->tcp);
    if (error == 0 && port->remote && !port->comport)
        error = comport_open(&port->comport, tcp_fd(port->tcp), &port->settings);
    return error == 0 && port->comport ? comport_ready(port->comport) : error;
}

short port_awaits(const struct port *port)
{
    return port->comport ? POLLIN : POLLOUT;
}

int port_fd(const struct port *port)
{
    return port->tcp ? tcp_fd(port->tcp) : port->terminal;
}

static ssize_t outcome(ssize_t n)
{
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    return errno == EIO ? -EPIPE : -errno;
}

ssize_t port_read(struct port *port, void *out, size_t size)
{
    ssize_t n;

    if (port->comport)
        return comport_read(port->comport, out, size);
    n = read(port_fd(port), out, size);
    return n == 0 ? -EPIPE : outcome(n);
}

ssize_t port_write(struct port *port, const void *bytes, size_t size)
{
    if (port->comport)
        return comport_write(port->comport, bytes, size);
    return outcome(port->tcp ? send(port_fd(port), bytes, size, MSG_NOSIGNAL)
                             : write(port_fd(port), bytes, size));
}

void port_set_lines(struct port *port, bool dtr, bool rts)
{
    if (port->comport)
        comport_set_lines(port->comport, dtr, rts);
    else if (port->terminal >= 0)
        terminal_set_lines(port->terminal, dtr, rts);
}

void port_flush(struct port *port)
{
    if (port->comport)
        comport_flush(port->comport);
    else if (port->terminal >= 0)
        terminal_flush(port->terminal);
}
