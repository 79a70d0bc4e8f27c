/* struct termios2 alone takes any baud rate; its header cannot be included together with
 * <termios.h>. */
#include "terminal.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

void terminal_set_lines(int fd, bool dtr, bool rts)
{
    set_line(fd, TIOCM_DTR, dtr);
    set_line(fd, TIOCM_RTS, rts);
}

void terminal_flush(int fd)
{
    ioctl(fd, TCFLSH, TCIFLUSH);
}

/* The lock keeps out other users of locks; TIOCEXCL everybody else who is not root. */
static int take(int fd, const struct port_settings *settings)
{
    int error;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return -EBUSY;
    if (!isatty(fd))
        return -ENOTTY;
    ioctl(fd, TIOCEXCL);
    error = configure(fd, settings);
    if (error == 0)
        terminal_set_lines(fd, settings->dtr, settings->rts);
    return error;
}

int terminal_open(const char *path, const struct port_settings *settings)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    int error;

    if (fd < 0)
        return -errno;
    error = take(fd, settings);
    if (error)
        close(fd);
    return error ? error : fd;
}
