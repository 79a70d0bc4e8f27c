#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define LOOK_EVERY_MS 20

struct terminal {
    struct link_options options; /* the user's */
    struct link_handlers handlers;
    int fd;            /* master */
    struct link *link; /* NULL while nobody has the other end open */
    struct loop_timer *look;
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

/* The master hangs up (POLLHUP) as long as nobody has the slave open, and cannot tell when somebody
 * does: it has to be looked at. */
static void terminal_look(void *self)
{
    struct terminal *terminal = self;
    struct pollfd master = {.fd = terminal->fd};
    const struct link_options options = {.loop = terminal->options.loop,
                                         .links = terminal->options.links,
                                         .handlers = &terminal->handlers,
                                         .self = terminal};

    if (poll(&master, 1, 0) == 0 || !(master.revents & POLLHUP)) {
        if (link_open(&terminal->link, &options, terminal->fd, true) == 0)
            return;
    }
    loop_timer_set(terminal->look, loop_now(terminal->options.loop) + LOOK_EVERY_MS);
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
    loop_timer_set(terminal->look, loop_now(terminal->options.loop));
}

/* Sets the slave raw, and by opening and closing it once brings the master into POLLHUP. */
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
    rc = terminal->fd < 0 ? -errno : terminal_prepare(terminal, path);
    if (rc == 0)
        rc = loop_timer_open(&terminal->look, options->loop, terminal_look, terminal);
    if (rc < 0) {
        terminal_close(terminal);
        return rc;
    }
    loop_timer_set(terminal->look, loop_now(options->loop));
    *out = terminal;
    return 0;
}

void terminal_close(struct terminal *terminal)
{
    if (!terminal)
        return;
    if (terminal->link)
        link_close(terminal->link);
    loop_timer_close(terminal->look);
    if (terminal->fd >= 0)
        close(terminal->fd);
    if (*terminal->path)
        unlink(terminal->path);
    free(terminal);
}
