/* Takes the dead letters up again, one by one: each is done with or goes back into the file, also
 * while the service adds new ones.
 *
 * FILE.1 and FILE are taken away by renaming them to FILE.redo.1 and FILE.redo.0; what goes back is
 * appended to FILE, and each letter is ticked off in its FILE.redo by a '#' in place of its first
 * byte. A run that was ended in the midst is continued by the next one. */
#ifndef DEAD_REDO_H
#define DEAD_REDO_H

#include "dead.h"

enum dead_fate {
    DEAD_DONE, /* it leaves the file */
    DEAD_KEEP, /* it goes back, as the visitor has left it */
    DEAD_STOP  /* it goes back, and so do all after it, unvisited */
};

/* May point the letter's parts to other texts, valid until its next call. */
typedef enum dead_fate dead_visit_fn(void *self, struct dead_letter *letter);

struct dead_redo_counts {
    unsigned done, kept;
};

/* Returns 0; -EBUSY where another process does the same just now; -errno, and then what was not
 * visited waits in FILE.redo.N for the next run. */
int dead_redo(const char *path, int64_t max_bytes, dead_visit_fn *visit, void *self,
              struct dead_redo_counts *counts);

#endif
