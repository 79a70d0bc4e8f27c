/* Windows in a file, so that a restart does not begin them anew.
 *
 * DIR/rules.windows, a line for each window that some rule reads:
 *   <location> <device> <measurement> <field> sliding|exponential <length ms> <window_write()>
 * Written whole once a minute and at the end, and renamed into place: there is always a whole one.
 * A window is 1.2 KB at most and takes some 10 µs, in which nothing is decided.
 * After a kill -9, what came since the last writing and while nobody was there is a hole in the
 * windows; one that is longer than a window begins it anew, as any gap does. */
#ifndef WINDOW_MEMORY_H
#define WINDOW_MEMORY_H

#include "picture.h"

/* Returns 0, also where there is no file; lines that are not whole are passed over. -ENOMEM or
 * -errno. */
int window_memory_read(const char *directory, struct picture *picture);

/* Returns 0, -ENOMEM or -errno: then the old file stays. */
int window_memory_write(const char *directory, const struct picture *picture);

#endif
