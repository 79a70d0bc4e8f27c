#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct terminal {
    struct link_options options; /* the user's */
    struct link_handlers handlers;
    int fd;            /* master */
    int opens_fd;      /* inotify: tells of every opening and closing of the slave */
    int openers;       /* who have the slave open now */
    struct link *link; /* NULL while nobody has */
    char path[PATH_MAX];
};

static speed_t rate_of(unsigned baud)
{
    static const struct {
        unsigned baud;
        speed_t rate;
    } rates[] = {{1200, B1200},   {2400, B2400},   {4800, B4800},   {9600, B9600},
                 {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}};

    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (rates[i].baud == baud)
            return rates[i].rate;
    return B0;
}

static int make_raw(int fd, speed_t rate)
{
    struct termios settings;

    if (tcgetattr(fd, &settings) < 0)
        return -errno;
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    if (rate != B0)
        cfsetspeed(&settings, rate);
    return tcsetattr(fd, TCSANOW, &settings) < 0 ? -errno : 0;
}

int terminal_open_device(const char *path, unsigned baud)
{
    speed_t rate = rate_of(baud);
    int fd, rc;

    if (rate == B0)
        return -EINVAL;
    fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    rc = make_raw(fd, rate);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

static void terminal_on_open(void *self, struct link *link)
{
    struct terminal *terminal = self;

    if (terminal->options.handlers->on_open)
        terminal->options.handlers->on_open(terminal->options.self, link);
}

static long terminal_on_bytes(void *self, struct link *link, const uint8_t *bytes, size_t size)
{
    struct terminal *terminal = self;

    return terminal->options.handlers->on_bytes(terminal->options.self, link, bytes, size);
}

static long terminal_on_quiet(void *self, struct link *link, const uint8_t *bytes, size_t size)
{
    struct terminal *terminal = self;

    return terminal->options.handlers->on_quiet(terminal->options.self, link, bytes, size);
}

static void terminal_on_close(void *self, struct link *link)
{
    struct terminal *terminal = self;

    if (terminal->options.handlers->on_close)
        terminal->options.handlers->on_close(terminal->options.self, link);
    terminal->link = NULL;
    tcflush(terminal->fd, TCIOFLUSH);
}

static void terminal_opened(struct terminal *terminal)
{
    const struct link_options options = {.loop = terminal->options.loop,
                                         .links = terminal->options.links,
                                         .handlers = &terminal->handlers,
                                         .self = terminal};

    terminal->openers++;
    if (!terminal->link && link_open(&terminal->link, &options, terminal->fd, true) < 0)
        terminal->link = NULL;
}

static void terminal_closed(struct terminal *terminal)
{
    struct link *link = terminal->link;

    if (terminal->openers > 0)
        terminal->openers--;
    if (terminal->openers > 0 || !link)
        return;
    terminal_on_close(terminal, link);
    link_close(link);
}

/* The master alone only tells that nobody has the slave open (POLLHUP), not when somebody does, and
 * misses who closes and opens again at once. */
static void terminal_on_opens(void *self, short revents)
{
    struct terminal *terminal = self;
    _Alignas(struct inotify_event) char events[4096];
    ssize_t size = read(terminal->opens_fd, events, sizeof events);

    (void)revents;
    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + at);

        if (event->mask & IN_OPEN)
            terminal_opened(terminal);
        else if (event->mask & IN_CLOSE)
            terminal_closed(terminal);
        at += (ssize_t)(sizeof *event + event->len);
    }
}

/* Sets the slave raw, and watches who opens it from then on. */
static int terminal_prepare(struct terminal *terminal, const char *path)
{
    struct stat there;
    const char *slave;
    int fd, rc;

    if (grantpt(terminal->fd) < 0 || unlockpt(terminal->fd) < 0)
        return -errno;
    slave = ptsname(terminal->fd);
    fd = slave ? open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (fd < 0)
        return -errno;
    rc = make_raw(fd, B0);
    close(fd);
    if (rc < 0)
        return rc;
    if (inotify_add_watch(terminal->opens_fd, slave, IN_OPEN | IN_CLOSE) < 0)
        return -errno;
    if (lstat(path, &there) == 0 && !S_ISLNK(there.st_mode))
        return -EEXIST;
    unlink(path);
    if (symlink(slave, path) < 0)
        return -errno;
    strcpy(terminal->path, path);
    return 0;
}

int terminal_open(struct terminal **out, const struct link_options *options, const char *path)
{
    struct terminal *terminal;
    int rc;

    if (strlen(path) >= sizeof terminal->path)
        return -ENAMETOOLONG;
    terminal = calloc(1, sizeof *terminal);
    if (!terminal)
        return -ENOMEM;
    terminal->options = *options;
    terminal->handlers = (struct link_handlers){
        .on_open = terminal_on_open,
        .on_bytes = terminal_on_bytes,
        .on_quiet = options->handlers->on_quiet ? terminal_on_quiet : NULL,
        .quiet_ms = options->handlers->quiet_ms,
        .on_close = terminal_on_close,
    };
    terminal->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    terminal->opens_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    rc = terminal->fd < 0 || terminal->opens_fd < 0 ? -errno : terminal_prepare(terminal, path);
    if (rc == 0)
        rc = loop_watch(options->loop, terminal->opens_fd, POLLIN, terminal_on_opens, terminal);
    if (rc < 0) {
        terminal_close(terminal);
        return rc;
    }
    *out = terminal;
    return 0;
}

void terminal_close(struct terminal *terminal)
{
    if (!terminal)
        return;
    if (terminal->link)
        link_close(terminal->link);
    if (terminal->opens_fd >= 0) {
        loop_unwatch(terminal->options.loop, terminal->opens_fd);
        close(terminal->opens_fd);
    }
    if (terminal->fd >= 0)
        close(terminal->fd);
    if (*terminal->path)
        unlink(terminal->path);
    free(terminal);
}
