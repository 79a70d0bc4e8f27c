/* Keeps the alerter's memory on disk: soon after every change, and at the end. On the loop. */
#ifndef KEEPER_H
#define KEEPER_H

#include "channel.h"
#include "life.h"
#include "memory.h"

#include <stdbool.h>

struct keeper;

struct keeper_parts { /* all borrowed */
    struct loop *loop;
    struct life *life;
    struct channel *const *channels;
    size_t n_channels;
};

/* `directory` may be "": then nothing is kept. Returns 0 or -errno. */
int keeper_open(struct keeper **out, const struct keeper_parts *parts, const char *directory);
void keeper_close(struct keeper *keeper); /* without saving; NULL is ignored */

/* Reads what was kept: 1 where there was something, 0 where not, -ENOMEM. A file that cannot be
 * used is put aside as *.bad, with a word in the log: alerting goes on. */
int keeper_load(struct keeper *keeper, memory_pending_fn *on_pending, void *self);

void keeper_changed(struct keeper *keeper);
void keeper_save(void *keeper);                /* now */
int keeper_error(const struct keeper *keeper); /* 0, or the -errno of the last attempt to save */
const char *keeper_path(const struct keeper *keeper);

#endif
