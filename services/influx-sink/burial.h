/* One sender's way to the dead letters: a letter that cannot be written holds everything up, since
 * its message must not be forgotten. */
#ifndef BURIAL_H
#define BURIAL_H

#include "halt.h"
#include "report.h"

struct burial {
    struct report *report; /* borrowed, as the rest */
    const struct halt *halt;
    const char *target; /* who could not store it; NULL: said by nobody, there is only one */
    bool failed;        /* called to halt with one unwritten: nothing may be committed any more */
};

void burial_add(struct burial *burial, const struct message *message, const char *reason,
                const char *detail);

/* All that was added is on the disk. False where it was called to halt before. */
bool burial_sync(struct burial *burial);

/* Something does not work that is tried again after a second: says so, and waits. False where it
 * was called to halt. */
bool burial_trouble(struct burial *burial, const char *what, int error);

#endif
