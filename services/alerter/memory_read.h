/* What the readers of the state file share. */
#ifndef MEMORY_READ_H
#define MEMORY_READ_H

#include "core_state.h"
#include "jsonr.h"
#include "memory.h"

#include <stdio.h>

struct memory_reader {
    struct core *core;
    struct group **groups; /* as numbered; NULL where the route is no more */
    size_t n_groups;
    struct record *record; /* the alert that is being read */
    memory_pending_fn *on_pending;
    void *self;
};

/* memory_check.c: whether the file is a memory that this program knows, whole and as it was
 * written. Returns 0, -ENOMEM, -EIO, or -EBADMSG with a sentence in in->error. */
int memory_check(FILE *file, const struct jsonr *in);

/* Return 0, -ENOMEM, or -EBADMSG with a sentence in in->error. */
typedef int memory_read_fn(struct memory_reader *reader, const struct jsonr *in);
/* memory_load() of what is open; for tests. */
int memory_read(FILE *file, struct core *core, memory_pending_fn *on_pending, void *self,
                struct jsonr *in);

memory_read_fn memory_read_record; /* memory_record.c: one alert, with its places in groups */

/* Reads each object of the array `key`. */
int memory_read_each(struct memory_reader *reader, const struct jsonr *in, const char *key,
                     memory_read_fn *read);

/* The channels that the array `key` names, a bit for each; those that are no more are left out, and
 * `*out` stays where it is absent. Returns 0 or -EBADMSG. */
int memory_read_channels(const struct memory_reader *reader, const struct jsonr *in,
                         const char *key, uint32_t *out);

/* At most `max` whole numbers, the newest of more; none where the array is absent. Returns how
 * many, or -EBADMSG. */
int memory_read_times(const struct jsonr *in, const char *key, int64_t *out, size_t max);

#endif
