/* From a message of the broker, or of a recording, to the core: alerts, acknowledgements, silences.
 * Pure. */
#ifndef HEAR_H
#define HEAR_H

#include "core.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAR_ERROR_SIZE 256

struct hear_message {
    struct topic topic;
    const void *payload; /* borrowed */
    size_t size;
    bool retained;
    bool known; /* what is retained was heard in an earlier life: no news */
};

/* Returns 0; -EBADMSG for a payload that cannot be used, with a sentence in `error`; -ENOENT for an
 * acknowledgement of no active alert; -ESTALE for an acknowledgement that somebody published
 * retained, which may be of another day; -ENOSPC for a silence too many; -ENOMEM; each with a
 * sentence. Topics of other kinds are ignored. */
int hear(struct core *core, const struct hear_message *message, int64_t time_ms,
         char error[HEAR_ERROR_SIZE]);

#endif
