/* What was learnt of the devices' holes, on disk: a text file of one line a hole,
 *
 *     fieldline holes 1
 *     URL UNIT TABLE ADDRESS COUNT
 *
 * which a person may read, or delete to have all of it learnt anew. */
#ifndef HOLE_FILE_H
#define HOLE_FILE_H

#include "holes.h"
#include "settings.h"

/* For each bus of the settings an array of holes for each of its units; only those of the first
 * device of an address (breaker_of) are used. */

/* Adds what the file knows of these buses. Lines that make no sense, or that nobody configured, are
 * passed over. Returns 0, also where there is no file; -ENOMEM, -errno. */
int hole_file_load(const char *path, const struct settings *settings, struct holes *const *holes);

/* Replaces the file as a whole. Returns 0 or -errno. */
int hole_file_store(const char *path, const struct settings *settings, struct holes *const *holes);

#endif
