#include "halt.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SLEEP_MAX_MS 60000

int halt_open(struct halt *halt)
{
    atomic_init(&halt->called, false);
    halt->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return halt->fd < 0 ? -errno : 0;
}

void halt_close(struct halt *halt)
{
    if (halt->fd >= 0)
        close(halt->fd);
    halt->fd = -1;
}

void halt_call(struct halt *halt)
{
    atomic_store(&halt->called, true);
    if (halt->fd >= 0)
        eventfd_write(halt->fd, 1);
}

bool halt_called(const struct halt *halt)
{
    return atomic_load(&halt->called);
}

bool halt_sleep(const struct halt *halt, int64_t until_ms, int also_fd)
{
    struct pollfd ready[2] = {{.fd = halt->fd, .events = POLLIN},
                              {.fd = also_fd, .events = POLLIN}}; /* -1 is passed over */
    int64_t wait_ms = until_ms - clock_now_ms();

    if (wait_ms > SLEEP_MAX_MS)
        wait_ms = SLEEP_MAX_MS;
    if (wait_ms > 0)
        poll(ready, 2, (int)wait_ms);
    return !halt_called(halt);
}
