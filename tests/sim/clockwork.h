/* What both simulators run on: a loop, simulated time, and an end on SIGINT or SIGTERM. */
#ifndef CLOCKWORK_H
#define CLOCKWORK_H

#include "loop.h"
#include "pace.h"

typedef void clockwork_step_fn(void *self);

struct clockwork {
    struct loop *loop;
    struct loop_timer *timer;
    struct pace pace;
    clockwork_step_fn *step;
    void *self;
    int signals; /* signalfd */
};

/* `speed` in simulated seconds a second; `step` is called once for each `step_ms` of simulated
 * time. Blocks the two signals and ignores SIGPIPE. Returns 0 or -errno. */
int clockwork_open(struct clockwork *clockwork, double speed, int64_t step_ms,
                   clockwork_step_fn *step, void *self);
int clockwork_run(struct clockwork *clockwork); /* 0 or -errno */
void clockwork_close(struct clockwork *clockwork);

#endif
