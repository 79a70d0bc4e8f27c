#include "tcp.h"

#include "resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_SIZE 256
#define SERVICE_SIZE 8
#define PULLED_CABLE_MS 10000 /* bytes unacknowledged for so long: the other side is gone */

struct tcp {
    int fd; /* -1 while the host's name is being looked up */
    bool connecting;
    struct resolve *resolve;
    const struct addrinfo *address; /* the one being tried; NULL before the look-up is done */
};

static int split(const char *address, char host[HOST_SIZE], char service[SERVICE_SIZE])
{
    const char *from = address;
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

int tcp_check(const char *address)
{
    char host[HOST_SIZE];
    char service[SERVICE_SIZE];

    return split(address, host, service);
}

int tcp_open(struct tcp **out, const char *address)
{
    char host[HOST_SIZE];
    char service[SERVICE_SIZE];
    struct tcp *tcp;
    int error = split(address, host, service);

    if (error)
        return error;
    tcp = calloc(1, sizeof *tcp);
    if (!tcp)
        return -ENOMEM;
    tcp->fd = -1;
    error = resolve_open(&tcp->resolve, host, service);
    if (error) {
        tcp_close(tcp);
        return error;
    }
    *out = tcp;
    return 0;
}

void tcp_close(struct tcp *tcp)
{
    if (!tcp)
        return;
    if (tcp->fd >= 0)
        close(tcp->fd);
    resolve_close(tcp->resolve);
    free(tcp);
}

static void tune(int fd)
{
    int on = 1;
    unsigned timeout = PULLED_CABLE_MS;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

static int try_address(struct tcp *tcp)
{
    const struct addrinfo *address = tcp->address;

    tcp->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (tcp->fd < 0)
        return -errno;
    tune(tcp->fd);
    if (connect(tcp->fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    tcp->connecting = errno == EINPROGRESS;
    return -errno;
}

/* Tries the rest of the addresses after one failed with `error`. */
static int try_next(struct tcp *tcp, int error)
{
    while (error != 0 && error != -EINPROGRESS && tcp->address->ai_next) {
        if (tcp->fd >= 0)
            close(tcp->fd);
        tcp->address = tcp->address->ai_next;
        error = try_address(tcp);
    }
    return error;
}

/* SO_ERROR is 0 for a connection still under way too: only having a peer tells. */
static int connected(struct tcp *tcp)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int error = 0;
    socklen_t error_size = sizeof error;

    if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0)
        return -errno;
    if (error)
        return -error;
    if (getpeername(tcp->fd, (struct sockaddr *)&peer, &size) != 0)
        return errno == ENOTCONN ? -EINPROGRESS : -errno;
    tcp->connecting = false;
    return 0;
}

int tcp_ready(struct tcp *tcp)
{
    if (!tcp->address) {
        int error = resolve_result(tcp->resolve, &tcp->address);

        return error ? error : try_next(tcp, try_address(tcp));
    }
    return tcp->connecting ? try_next(tcp, connected(tcp)) : 0;
}

int tcp_fd(const struct tcp *tcp)
{
    return tcp->fd;
}
