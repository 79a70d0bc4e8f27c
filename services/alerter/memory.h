/* What must survive a restart, in one file: all that the core knows, and what is still to be sent.
 *
 * Format, version 3: JSON lines, each an object with one member, which says what it is: "memory"
 * first, with version, time and the serial number of the last notification; "group", "alert",
 * "silence", "limit", "pending"; "end", with the checksum (crc32c.h) of all before. Lines, so that
 * reading takes no more memory than what is read. The file is written anew beside the old one,
 * synced and renamed over it, so there is always a whole one. */
#ifndef MEMORY_H
#define MEMORY_H

#include "core.h"
#include "jsonw.h"

#include <stddef.h>

#define MEMORY_VERSION 3

/* Writing: begin, the pending ones, save. Returns 0 or -errno. */
struct memory_writer {
    struct buffer text;
    struct jsonw w;
};
void memory_begin(struct memory_writer *writer, struct core *core);
void memory_add(struct memory_writer *writer, const char *channel,
                const struct notification *notification);
int memory_save(struct memory_writer *writer, const char *path); /* ends and frees the writer */

/* Reads the file into a new core and hands what was pending over, with its ownership; also what was
 * held back by the limit of a channel that the configuration has no more. Returns 0; -ENOENT where
 * there is no file; -EBADMSG with a sentence in `error` where it is damaged, of another program or
 * of a newer version: nothing was handed over, unless it was written so; -errno. */
typedef void memory_pending_fn(void *self, const char *channel, struct notification *notification);
int memory_load(const char *path, struct core *core, memory_pending_fn *on_pending, void *self,
                char *error, size_t error_size);

#endif
