/* Which rules are active, in a file, so that a restart repeats no command and forgets none that is
 * still to be taken back. Alerts are also kept by the broker; this is for the rules without one.
 *
 * DIR/rules.memory: a line for each change, the last one of a rule and device holds:
 *   <since ms> <episode> active|stale|inactive[,owing] <location> <device> <rule>
 * A change is one write(): it survives the end of the process at once, a power cut when the kernel
 * has written it back (some 30 s). A line cut off at the end is passed over. What is not kept:
 * waits
 * (`for`, `clear_for`), which begin anew. */
#ifndef MEMORY_H
#define MEMORY_H

#include "engine.h"

struct memory;

/* Reads what is there into the engine, then writes the file anew without what is out of date. The
 * engine is borrowed. Returns 0, -ENOMEM or -errno. */
int memory_open(struct memory **out, const char *directory, struct engine *engine, int64_t time_ms);
void memory_close(struct memory *memory);

/* Adds a change. Returns 0 or -errno: then a restart may repeat what follows. */
int memory_add(struct memory *memory, const struct engine_memory *change);

#endif
