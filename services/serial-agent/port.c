/* struct termios2 alone takes any baud rate; its header cannot be included together with
 * <termios.h>. */
#include "port.h"

#include "resolve.h"
#include "usb.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_SCHEME "tcp://"
#define USB_SCHEME "usb:"
#define HOST_SIZE 256
#define SERVICE_SIZE 8
#define PULLED_CABLE_MS 10000 /* bytes unacknowledged for so long: the other side is gone */

struct port {
    int fd; /* -1 while the host's name is being looked up */
    bool connecting;
    struct resolve *resolve;        /* TCP only */
    const struct addrinfo *address; /* the one being tried; NULL before the look-up is done */
};

static bool is_tcp(const char *url)
{
    return strncmp(url, TCP_SCHEME, strlen(TCP_SCHEME)) == 0;
}

/* "tcp://host:port", "tcp://[::1]:port" */
static int split(const char *url, char host[HOST_SIZE], char service[SERVICE_SIZE])
{
    const char *from = url + strlen(TCP_SCHEME);
    const char *colon = strrchr(from, ':');
    const char *end = colon;

    if (!colon)
        return -EINVAL;
    if (*from == '[' && colon > from + 1 && colon[-1] == ']') {
        from++;
        end--;
    }
    if (end == from || end - from >= HOST_SIZE || strlen(colon + 1) >= SERVICE_SIZE)
        return -EINVAL;
    if (colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return -EINVAL;
    snprintf(host, HOST_SIZE, "%.*s", (int)(end - from), from);
    snprintf(service, SERVICE_SIZE, "%s", colon + 1);
    return 0;
}

bool port_is_terminal(const char *url)
{
    return !is_tcp(url);
}

int port_path(char out[PORT_URL_SIZE], const char *url)
{
    if (is_tcp(url))
        return -ENOTTY;
    if (strncmp(url, USB_SCHEME, strlen(USB_SCHEME)) == 0)
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
    char host[HOST_SIZE];
    char service[SERVICE_SIZE];

    if (is_tcp(url))
        return split(url, host, service);
    if (strncmp(url, USB_SCHEME, strlen(USB_SCHEME)) == 0)
        return usb_check(url);
    return url[0] == '/' ? 0 : -EINVAL;
}

static tcflag_t control_flags(const struct port_settings *settings)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    tcflag_t flags = sizes[settings->data_bits - 5] | CREAD | CLOCAL | BOTHER | (BOTHER << IBSHIFT);

    if (settings->parity != PORT_PARITY_NONE)
        flags |= PARENB;
    if (settings->parity == PORT_PARITY_ODD)
        flags |= PARODD;
    return settings->stop_bits == 2 ? flags | CSTOPB : flags;
}

static int configure(int fd, const struct port_settings *wanted)
{
    struct termios2 settings;

    if (ioctl(fd, TCGETS2, &settings) != 0)
        return errno == EIO ? -EIO : -ENOTTY;
    settings.c_iflag = IGNBRK | IGNPAR | (wanted->parity == PORT_PARITY_NONE ? 0 : INPCK);
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    settings.c_cflag = control_flags(wanted);
    settings.c_ispeed = (speed_t)wanted->baud;
    settings.c_ospeed = (speed_t)wanted->baud;
    settings.c_cc[VMIN] = 1; /* with 0, nothing there and hung up would look the same */
    settings.c_cc[VTIME] = 0;
    if (ioctl(fd, TCSETS2, &settings) != 0)
        return -errno;
    ioctl(fd, TCFLSH, TCIOFLUSH);
    return 0;
}

/* The lines are set one by one and only where that changes something: each edge of DTR resets many
 * a board. */
static void set_line(int fd, int line, bool on)
{
    int lines;

    if (ioctl(fd, TIOCMGET, &lines) == 0 && ((lines & line) != 0) != on)
        ioctl(fd, on ? TIOCMBIS : TIOCMBIC, &line);
}

void port_set_lines(struct port *port, bool dtr, bool rts)
{
    if (port->resolve)
        return;
    set_line(port->fd, TIOCM_DTR, dtr);
    set_line(port->fd, TIOCM_RTS, rts);
}

void port_flush(struct port *port)
{
    if (!port->resolve)
        ioctl(port->fd, TCFLSH, TCIFLUSH);
}

static int open_terminal(struct port *port, const char *url, const struct port_settings *settings)
{
    char path[PORT_URL_SIZE];
    int error = port_path(path, url);

    if (error)
        return error;
    port->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (port->fd < 0)
        return -errno;
    /* The lock keeps out other users of locks; TIOCEXCL everybody else who is not root. */
    if (flock(port->fd, LOCK_EX | LOCK_NB) != 0)
        return -EBUSY;
    if (!isatty(port->fd))
        return -ENOTTY;
    ioctl(port->fd, TIOCEXCL);
    error = configure(port->fd, settings);
    if (error == 0)
        port_set_lines(port, settings->dtr, settings->rts);
    return error;
}

static int open_tcp(struct port *port, const char *url)
{
    char host[HOST_SIZE];
    char service[SERVICE_SIZE];
    int error = split(url, host, service);

    return error ? error : resolve_open(&port->resolve, host, service);
}

int port_open(struct port **out, const char *url, const struct port_settings *settings)
{
    struct port *port = calloc(1, sizeof *port);
    int error;

    if (!port)
        return -ENOMEM;
    port->fd = -1;
    error = is_tcp(url) ? open_tcp(port, url) : open_terminal(port, url, settings);
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
    if (port->fd >= 0)
        close(port->fd);
    resolve_close(port->resolve);
    free(port);
}

static void tune(int fd)
{
    int on = 1;
    unsigned timeout = PULLED_CABLE_MS;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

static int try_address(struct port *port)
{
    const struct addrinfo *address = port->address;

    port->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->fd < 0)
        return -errno;
    tune(port->fd);
    if (connect(port->fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    port->connecting = errno == EINPROGRESS;
    return -errno;
}

/* Tries the rest of the addresses after one failed with `error`. */
static int try_next(struct port *port, int error)
{
    while (error != 0 && error != -EINPROGRESS && port->address->ai_next) {
        if (port->fd >= 0)
            close(port->fd);
        port->address = port->address->ai_next;
        error = try_address(port);
    }
    return error;
}

/* SO_ERROR is 0 for a connection still under way too: only having a peer tells. */
static int connected(struct port *port)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int error = 0;
    socklen_t error_size = sizeof error;

    if (getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0)
        return -errno;
    if (error)
        return -error;
    if (getpeername(port->fd, (struct sockaddr *)&peer, &size) != 0)
        return errno == ENOTCONN ? -EINPROGRESS : -errno;
    port->connecting = false;
    return 0;
}

int port_ready(struct port *port)
{
    if (port->resolve && !port->address) {
        int error = resolve_result(port->resolve, &port->address);

        return error ? error : try_next(port, try_address(port));
    }
    return port->connecting ? try_next(port, connected(port)) : 0;
}

int port_fd(const struct port *port)
{
    return port->fd;
}

ssize_t port_read(struct port *port, void *out, size_t size)
{
    ssize_t n = read(port->fd, out, size);

    if (n > 0)
        return n;
    if (n == 0)
        return -EPIPE;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    return errno == EIO ? -EPIPE : -errno;
}

ssize_t port_write(struct port *port, const void *bytes, size_t size)
{
    ssize_t n =
        port->resolve ? send(port->fd, bytes, size, MSG_NOSIGNAL) : write(port->fd, bytes, size);

    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    return errno == EIO ? -EPIPE : -errno;
}
