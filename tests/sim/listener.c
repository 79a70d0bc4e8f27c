#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct listener {
    struct link_options options;
    int fd;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* empty for TCP */
};

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t size)
{
    if (bind(fd, address, size) < 0 || listen(fd, 64) < 0)
        return -errno;
    return 0;
}

static int listen_unix(struct listener *listener, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int rc;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return -errno;
    unlink(path); /* left by one that was killed */
    rc = bind_and_listen(listener->fd, (struct sockaddr *)&address, sizeof address);
    if (rc == 0)
        strcpy(listener->path, path);
    return rc;
}

static int listen_tcp(struct listener *listener, const char *text)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    const char *colon = strrchr(text, ':');
    struct addrinfo *found;
    char host[256];
    int on = 1, rc;

    if (!colon || (size_t)(colon - text) >= sizeof host)
        return -EINVAL;
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    if (getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found) != 0)
        return -EADDRNOTAVAIL;
    listener->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0) {
        rc = -errno;
    } else {
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        rc = bind_and_listen(listener->fd, found->ai_addr, found->ai_addrlen);
    }
    freeaddrinfo(found);
    return rc;
}

static void listener_on_ready(void *self, short revents)
{
    struct listener *listener = self;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    struct link *link;
    int on = 1;

    (void)revents;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (link_open(&link, &listener->options, fd, false) < 0)
        close(fd);
}

int listener_open(struct listener **out, const struct link_options *options, const char *address)
{
    struct listener *listener = calloc(1, sizeof *listener);
    int rc;

    if (!listener)
        return -ENOMEM;
    listener->options = *options;
    listener->fd = -1;
    rc = strchr(address, '/') ? listen_unix(listener, address) : listen_tcp(listener, address);
    if (rc == 0)
        rc = loop_watch(options->loop, listener->fd, POLLIN, listener_on_ready, listener);
    if (rc < 0) {
        listener_close(listener);
        return rc;
    }
    *out = listener;
    return 0;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    if (listener->fd >= 0) {
        loop_unwatch(listener->options.loop, listener->fd);
        close(listener->fd);
    }
    if (*listener->path)
        unlink(listener->path);
    free(listener);
}

int listener_port(const struct listener *listener)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;

    if (getsockname(listener->fd, (struct sockaddr *)&address, &size) < 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}
