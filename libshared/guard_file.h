/* What the guards of a device's actuators know of the past, on disk, for after a restart. A text
 * file of one line an actuator, which a person may read, or delete to have it forgotten:
 *
 *     fieldline guards 1
 *     ACTUATOR on|off SINCE [START …]
 *
 * Times in milliseconds since 1970. It is replaced as a whole (file_replace.h). */
#ifndef GUARD_FILE_H
#define GUARD_FILE_H

#include "buffer.h"
#include "guard.h"

/* Hands over what is there; all is borrowed for the call. Lines that make no sense are passed over.
 * Returns 0, also where there is no file; else -errno. */
typedef void guard_file_fn(void *self, const char *actuator, const struct guard_history *history);
int guard_file_load(const char *path, guard_file_fn *on_history, void *self);

/* The text of a new one, for file_replace(): begun, then a line for each. */
void guard_file_begin(struct buffer *text);
void guard_file_put(struct buffer *text, const char *actuator, const struct guard_history *history);

#endif
