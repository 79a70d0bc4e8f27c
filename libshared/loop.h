/* The one thread that decides: poll() over descriptors and timers.
 *
 * Handlers run one at a time, on the thread in loop_run(); nothing here may be called from another
 * thread. A handler may watch, unwatch, set, cancel or close anything, itself included. */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

struct loop;
struct loop_timer;

int loop_open(struct loop **out); /* 0 or -ENOMEM */
void loop_close(struct loop *loop);

/* Runs until loop_stop(). Returns 0, or -errno where poll() itself failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Monotonic milliseconds, read once each time poll() returns. */
int64_t loop_now(const struct loop *loop);

/* `events` and `revents` are poll()'s. The descriptor is borrowed and must be unwatched before it
 * is closed. Watching a descriptor again changes its events and handler. Returns 0 or -ENOMEM. */
typedef void loop_fd_fn(void *self, short revents);
int loop_watch(struct loop *loop, int fd, short events, loop_fd_fn *on_ready, void *self);
void loop_unwatch(struct loop *loop, int fd); /* unknown descriptors are ignored */

/* A timer fires once each time it is set; set it anew in the handler for a period. */
typedef void loop_timer_fn(void *self);
int loop_timer_open(struct loop_timer **out, struct loop *loop, loop_timer_fn *on_time, void *self);
void loop_timer_close(struct loop_timer *timer); /* NULL is ignored; must precede loop_close() */
void loop_timer_set(struct loop_timer *timer,
                    int64_t at_ms); /* monotonic; replaces an earlier time */
void loop_timer_cancel(struct loop_timer *timer);

#endif
