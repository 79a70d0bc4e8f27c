#include "clockwork.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TICK_MS 50

static void clockwork_on_tick(void *self)
{
    struct clockwork *clockwork = self;
    int64_t now_ms = loop_now(clockwork->loop);

    for (unsigned steps = pace_due(&clockwork->pace, now_ms); steps > 0; steps--)
        clockwork->step(clockwork->self);
    loop_timer_set(clockwork->timer, now_ms + TICK_MS);
}

static void clockwork_on_signal(void *self, short revents)
{
    struct clockwork *clockwork = self;

    (void)revents;
    loop_stop(clockwork->loop);
}

int clockwork_open(struct clockwork *clockwork, double speed, int64_t step_ms,
                   clockwork_step_fn *step, void *self)
{
    sigset_t mask;
    int rc;

    *clockwork = (struct clockwork){
        .pace = {.speed = speed, .step_ms = step_ms, .last_ms = clock_now_ms()},
        .step = step,
        .self = self,
        .signals = -1,
    };
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    clockwork->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (clockwork->signals < 0)
        return -errno;
    rc = loop_open(&clockwork->loop);
    if (rc == 0)
        rc = loop_timer_open(&clockwork->timer, clockwork->loop, clockwork_on_tick, clockwork);
    if (rc == 0)
        rc =
            loop_watch(clockwork->loop, clockwork->signals, POLLIN, clockwork_on_signal, clockwork);
    if (rc == 0)
        loop_timer_set(clockwork->timer, clockwork->pace.last_ms);
    return rc;
}

int clockwork_run(struct clockwork *clockwork)
{
    return loop_run(clockwork->loop);
}

void clockwork_close(struct clockwork *clockwork)
{
    if (clockwork->loop && clockwork->signals >= 0)
        loop_unwatch(clockwork->loop, clockwork->signals);
    loop_timer_close(clockwork->timer);
    if (clockwork->loop)
        loop_close(clockwork->loop);
    if (clockwork->signals >= 0)
        close(clockwork->signals);
}
