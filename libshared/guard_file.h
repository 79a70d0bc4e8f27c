/* What the guards of a device's actuators know of the past, on disk, for after a restart. A text
 * file of one line an actuator, which a person may read, or delete to have it forgotten:
 *
 *     fieldline guards 1
 *     ACTUATOR on|off SINCE [START …]
 *
 * Times in milliseconds since 1970. It is replaced as a whole: it outlives a killed process, a
 * power cut may take the last change. */
#ifndef GUARD_FILE_H
#define GUARD_FILE_H

#include "guard.h"

/* Hands over what is there; all is borrowed for the call. Lines that make no sense are passed over.
 * Returns 0, also where there is no file; else -errno. */
typedef void guard_file_fn(void *self, const char *actuator, const struct guard_history *history);
int guard_file_load(const char *path, guard_file_fn *on_history, void *self);

struct guard_file;

/* A new file beside the old one; then a line for each; then in its place. After a failure the old
 * one stays. Return 0 or -errno; guard_file_commit() closes in any case. */
int guard_file_begin(struct guard_file **out, const char *path);
void guard_file_put(struct guard_file *file, const char *actuator,
                    const struct guard_history *history);
int guard_file_commit(struct guard_file *file);

#endif
