/* What comes from the broker, or from a capture of it, brought to the engine: readings, statuses
 * and the engine's own retained alerts. No I/O. */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "engine.h"
#include "topic.h"

#include <stdbool.h>
#include <stddef.h>

#define DISPATCH_ERROR_SIZE 256

struct dispatch_message {
    struct topic topic;
    const void *payload;
    size_t size;
    bool retained;
};

/* Returns 0, also for what the engine does not read; -EBADMSG with a sentence in `error` for a
 * payload that is not what its topic promises, and then nothing of it was used; -ENOMEM. */
int dispatch(struct engine *engine, const struct dispatch_message *message, int64_t time_ms,
             char error[DISPATCH_ERROR_SIZE]);

#endif
