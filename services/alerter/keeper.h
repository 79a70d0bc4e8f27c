/* Keeps the alerter's memory on disk, soon after every change and at the end, and lets out no
 * notification that is not written down there: who is killed in between sends the same one again,
 * under the same id. On the loop. */
#ifndef KEEPER_H
#define KEEPER_H

#include "channel.h"
#include "core.h"
#include "health.h"
#include "memory.h"

#include <stdbool.h>

struct keeper;

struct keeper_parts { /* all borrowed */
    struct loop *loop;
    struct core *core;
    struct channel *const *channels;
    size_t n_channels;
    struct health *health;
};

/* `directory` may be "": then nothing is kept. Returns 0 or -errno. */
int keeper_open(struct keeper **out, const struct keeper_parts *parts, const char *directory);
void keeper_close(struct keeper *keeper); /* without saving; NULL is ignored */

/* Reads what was kept: 1 where there was something, 0 where not, -ENOMEM. A file that cannot be
 * used is put aside as *.bad, told in the log and counted, and -EBADMSG is returned: the core may
 * know a part of it and is to be made anew. */
int keeper_load(struct keeper *keeper, memory_pending_fn *on_pending, void *self);

/* Writes it down, then offers it to the channel; where it cannot be written, all the same. Takes
 * ownership. */
void keeper_send(struct keeper *keeper, size_t channel, struct notification *notification);

void keeper_changed(struct keeper *keeper);
void keeper_save(void *keeper);                /* now */
int keeper_error(const struct keeper *keeper); /* 0, or the -errno of the last attempt to save */
const char *keeper_path(const struct keeper *keeper);

#endif
