/* Carries parcels, one at a time, on a thread of its own, since that blocks. */
#ifndef WORKER_H
#define WORKER_H

#include "carrier.h"
#include "loop.h"

struct worker;

/* Called on the loop once for each worker_send(). */
typedef void worker_fn(void *self, const struct carrier_result *result);

/* Settings are borrowed. Returns 0 or -errno. */
int worker_open(struct worker **out, struct loop *loop, const struct channel_settings *settings,
                worker_fn *on_result, void *self);
void worker_close(struct worker *worker); /* ends what is in flight; NULL is ignored */

/* Takes what is in the parcel. The next one may be sent after the result. Returns 0 or -ENOMEM. */
int worker_send(struct worker *worker, struct parcel *parcel);

#endif
