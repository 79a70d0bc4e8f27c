#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNANSWERED_MAX_MS                                                  \
    10000u /* what we sent and the other side's system did not acknowledge \
            */

static int finish_connect(int fd, int64_t timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    int rc;

    do
        rc = poll(&poll_fd, 1, (int)timeout_ms);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return -ETIMEDOUT;
    if (rc < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return -errno;
    return -error;
}

static int dial_one(const struct addrinfo *address, int64_t timeout_ms)
{
    const int on = 1;
    const unsigned unanswered_ms = UNANSWERED_MAX_MS;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc = 0;

    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        rc = errno == EINPROGRESS ? finish_connect(fd, timeout_ms) : -errno;
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

int dial(int *out_fd, const char *host, const char *port, int64_t timeout_ms, char *error,
         size_t error_size)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    int rc = getaddrinfo(host, port, &hints, &addresses);
    int fd = -EHOSTUNREACH;

    if (rc != 0) {
        snprintf(error, error_size, "%s: %s", host, gai_strerror(rc));
        return -EHOSTUNREACH;
    }
    for (const struct addrinfo *address = addresses; address && fd < 0; address = address->ai_next)
        fd = dial_one(address, timeout_ms);
    freeaddrinfo(addresses);
    if (fd < 0) {
        snprintf(error, error_size, "%s:%s: %s", host, port, strerror(-fd));
        return fd;
    }
    *out_fd = fd;
    return 0;
}
