/* The results of the last commands, found again by the command's id, so that a command that comes
 * twice is answered twice and carried out once. Pure. */
#ifndef LEDGER_H
#define LEDGER_H

#include "command.h"

#include <stdbool.h>
#include <stddef.h>

struct ledger;

/* Keeps `capacity` results; the oldest gives way. Returns 0 or -ENOMEM. */
int ledger_open(struct ledger **out, size_t capacity);
void ledger_close(struct ledger *ledger);

/* Everything is copied. A result without an id is not kept; one with an id that is there
 * replaces it. Without memory for a text value, the
 * result is kept with its value unknown. */
void ledger_add(struct ledger *ledger, const struct command_result *result);

/* What `out` points to is borrowed until the next ledger_add(). False for an unknown or empty id.
 */
bool ledger_find(const struct ledger *ledger, const char *id, struct command_result *out);

#endif
