/* What rules know, in a file, so that a restart repeats no command, forgets none that is still to
 * be taken back, and goes on with what was under way: which are active, waits (`for`, `clear_for`),
 * when each fired (cool-down, `max_per_hour`, least times), the sums of a pid, failed commands, and
 * whose alerts fire. Alerts are also kept by the broker.
 *
 * DIR/rules.memory, its lines: memory_text.h. Changes are appended, the last line of a rule and
 * device holds; a change is one write(), which survives the end of the process at once, a power cut
 * when the kernel has written it back (some 30 s). Once as much was appended as the file had, and
 * MEMORY_ADDED_MIN at least, it is written anew, a slice at a time: it is at most twice as long as
 * what it says plus that, and costs at most twice what is appended.
 *
 * Told at once: each switch before what follows from it, each answer, and the end of a wait. Told
 * each second: the beginning of a wait, which a kill may take, and then it begins anew; and that
 * the engine is there, from which the next one knows how long nobody was. Each 10 s: a pid, whose
 * next step makes up for the rest. Two lines a second of some 200 bytes are the most for a rule and
 * device that waits, 108 KB an hour where nothing happens; for the rest a line a switch.
 *
 * Lines that are not whole are passed over and counted; the file as it was found is then kept as
 * rules.memory.damaged. What they would have said is as the retained alerts have it, or begins
 * anew. That whole lines are missing at the end cannot be seen. */
#ifndef MEMORY_H
#define MEMORY_H

#include "engine.h"

#define MEMORY_ADDED_MIN (256 * 1024) /* bytes */
#define MEMORY_SLICE 2000             /* states looked at in one memory_tick() */

struct memory;

/* Reads what is there into the engine, then writes the file anew without what is out of date. The
 * engine is borrowed. Returns 0, -ENOMEM or -errno. */
int memory_open(struct memory **out, const char *directory, struct engine *engine, int64_t time_ms);
void memory_close(struct memory *memory);

/* How many lines memory_open() had to pass over. */
uint64_t memory_damaged(const struct memory *memory);

/* Adds a change. Returns 0 or -errno: then a restart may repeat what follows. */
int memory_add(struct memory *memory, const struct engine_memory *change);

/* Says that the engine is there. Returns as memory_add(). */
int memory_alive(struct memory *memory, int64_t time_ms);

/* Writes the next slice of the new file, where one is under way. Returns whether there is more of
 * it; an error means that the old one stays, to be tried again later. */
int memory_tick(struct memory *memory);

#endif
