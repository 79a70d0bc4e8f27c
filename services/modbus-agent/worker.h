/* The thread of one bus. It talks to the loop through two inboxes only: jobs in, answers out. The
 * settings are shared and never change. */
#ifndef WORKER_H
#define WORKER_H

#include "driver.h"

#include <stdint.h>

struct worker;

/* Starts at once. Returns 0 or -errno. */
int worker_open(struct worker **out, const struct driver_options *options);

/* Tells the thread to end; worker_close() waits for it: one request's time-out at the most. */
void worker_stop(struct worker *worker);
/* All writes have their answers after it, in the inbox that the driver was given. */
void worker_close(struct worker *worker);

/* Queues a write of an actuator's cells, copied, ahead of all reads; its end comes as an
 * ANSWER_WRITE. Returns 0, -ENOSPC or -ENOMEM. */
int worker_write(struct worker *worker, const struct write_order *order);

/* The same for the watchdog of a device; its end comes as an ANSWER_FEED. */
int worker_feed(struct worker *worker, size_t unit, uint16_t cell);

/* Has the next round of each group told, as when the broker may have lost the last one. */
void worker_renew(struct worker *worker);

/* When the thread last went round, in monotonic milliseconds: at least each 10 s, but for a connect
 * or a request that takes longer. */
int64_t worker_moved_ms(const struct worker *worker);

#endif
