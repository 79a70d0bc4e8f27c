/* The results of a device's last commands on disk, so that a command that comes again after a
 * restart is known. One line a result: the actuator's name, a space, the result as it was published
 * (proto/result.schema.json). What is written outlives a killed process, not a power cut.
 *
 * Bounded: a full file is renamed to "<path>.old" in place of the one before it. */
#ifndef LEDGER_FILE_H
#define LEDGER_FILE_H

#include "command.h"

#include <stddef.h>
#include <stdint.h>

struct ledger_file;

/* `max_bytes` is of one of the two files. The path is copied. Returns 0 or -errno. */
int ledger_file_open(struct ledger_file **out, const char *path, int64_t max_bytes);
void ledger_file_close(struct ledger_file *file); /* takes NULL */

/* Hands over what is there, oldest first; all is borrowed for the call. Lines that cannot be read,
 * such as one that a crash cut short, are left out. Returns their number. */
typedef void ledger_file_fn(void *self, const char *actuator, const struct command_result *result);
size_t ledger_file_load(const struct ledger_file *file, ledger_file_fn *on_result, void *self);

/* Returns 0 or -errno, and then the result may not be there after a restart. */
int ledger_file_add(struct ledger_file *file, const char *actuator,
                    const struct command_result *result);

#endif
