#include "loop.h"

#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

struct watch {
    loop_fd_fn *on_ready; /* NULL: unwatched during the round, swept after it */
    void *self;
};

struct loop_timer {
    struct loop *loop;
    struct loop_timer *next;
    loop_timer_fn *on_time;
    void *self;
    int64_t at_ms;
    bool set;
    uint64_t round; /* the last one it ran in */
};

struct loop {
    struct pollfd *fds;
    struct watch *watches; /* watches[i] belongs to fds[i] */
    size_t n_fds;
    size_t capacity;
    bool sweep_needed;
    struct loop_timer *timers;
    uint64_t round; /* counts the times poll() returned */
    int64_t now_ms;
    bool stop;
};

int loop_open(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return -ENOMEM;
    loop->now_ms = clock_now_ms();
    loop->round = 1;
    *out = loop;
    return 0;
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    free(loop->fds);
    free(loop->watches);
    free(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
}

int64_t loop_now(const struct loop *loop)
{
    return loop->now_ms;
}

static int grow(struct loop *loop)
{
    size_t capacity = loop->capacity ? 2 * loop->capacity : 16;
    struct pollfd *fds = realloc(loop->fds, capacity * sizeof *fds);
    if (!fds)
        return -ENOMEM;
    loop->fds = fds;
    struct watch *watches = realloc(loop->watches, capacity * sizeof *watches);
    if (!watches)
        return -ENOMEM;
    loop->watches = watches;
    loop->capacity = capacity;
    return 0;
}

static size_t find(const struct loop *loop, int fd)
{
    size_t i = 0;
    while (i < loop->n_fds && !(loop->fds[i].fd == fd && loop->watches[i].on_ready))
        i++;
    return i;
}

int loop_watch(struct loop *loop, int fd, short events, loop_fd_fn *on_ready, void *self)
{
    size_t i = find(loop, fd);
    if (i == loop->n_fds) {
        if (loop->n_fds == loop->capacity && grow(loop) != 0)
            return -ENOMEM;
        loop->n_fds++;
        loop->fds[i] = (struct pollfd){.fd = fd};
    }
    loop->fds[i].events = events;
    loop->watches[i] = (struct watch){.on_ready = on_ready, .self = self};
    return 0;
}

/* The place stays until the round is over: handlers run while the array is walked. */
void loop_unwatch(struct loop *loop, int fd)
{
    size_t i = find(loop, fd);
    if (i == loop->n_fds)
        return;
    loop->fds[i].fd = -1;
    loop->watches[i].on_ready = NULL;
    loop->sweep_needed = true;
}

static void sweep(struct loop *loop)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->n_fds; i++) {
        if (!loop->watches[i].on_ready)
            continue;
        loop->fds[kept] = loop->fds[i];
        loop->watches[kept++] = loop->watches[i];
    }
    loop->n_fds = kept;
    loop->sweep_needed = false;
}

int loop_timer_open(struct loop_timer **out, struct loop *loop, loop_timer_fn *on_time, void *self)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return -ENOMEM;
    *timer =
        (struct loop_timer){.loop = loop, .next = loop->timers, .on_time = on_time, .self = self};
    loop->timers = timer;
    *out = timer;
    return 0;
}

void loop_timer_close(struct loop_timer *timer)
{
    if (!timer)
        return;
    struct loop_timer **link = &timer->loop->timers;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    free(timer);
}

void loop_timer_set(struct loop_timer *timer, int64_t at_ms)
{
    timer->at_ms = at_ms;
    timer->set = true;
}

void loop_timer_cancel(struct loop_timer *timer)
{
    timer->set = false;
}

/* A service has tens of timers: a walk costs less than keeping them in order. */
static struct loop_timer *earliest(const struct loop *loop)
{
    struct loop_timer *found = NULL;
    for (struct loop_timer *timer = loop->timers; timer; timer = timer->next)
        if (timer->set && timer->round != loop->round && (!found || timer->at_ms < found->at_ms))
            found = timer;
    return found;
}

static int wait_ms(const struct loop *loop)
{
    const struct loop_timer *timer = earliest(loop);
    if (!timer)
        return -1;
    int64_t wait = timer->at_ms - clock_now_ms();
    return wait <= 0 ? 0 : wait > INT_MAX ? INT_MAX : (int)wait;
}

/* The list may change under a handler, so the search starts anew after each one. A timer runs once
 * a round: one that its handler sets to "now" cannot starve the rest. */
static void run_timers(struct loop *loop)
{
    struct loop_timer *timer;
    while (!loop->stop && (timer = earliest(loop)) && timer->at_ms <= loop->now_ms) {
        timer->set = false;
        timer->round = loop->round;
        timer->on_time(timer->self);
    }
    loop->round++;
}

static void run_watches(struct loop *loop)
{
    size_t n = loop->n_fds; /* those added by a handler wait for the next round */
    for (size_t i = 0; i < n && !loop->stop; i++) {
        struct watch watch = loop->watches[i];
        if (watch.on_ready && loop->fds[i].revents)
            watch.on_ready(watch.self, loop->fds[i].revents);
    }
}

int loop_run(struct loop *loop)
{
    loop->stop = false;
    while (!loop->stop) {
        if (loop->sweep_needed)
            sweep(loop);
        int n_ready = poll(loop->fds, (nfds_t)loop->n_fds, wait_ms(loop));
        if (n_ready < 0 && errno != EINTR)
            return -errno;
        loop->now_ms = clock_now_ms();
        run_timers(loop);
        if (n_ready > 0)
            run_watches(loop);
    }
    return 0;
}
