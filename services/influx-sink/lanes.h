/* Which records of the spool come next: all in order, and what is new out of turn while what is old
 * takes long. Pure.
 *
 *     cursor        next           ahead[0]            ahead[1]            end
 *       |-- posted --|-- old … ------|#####|-- old … ----|######…
 *
 * One lane takes what is old, in order from `next` on; the other one what is new, into the last
 * range of `ahead`. Where the first lane comes to a range it passes over it, and past the last one
 * there is one lane again.
 *
 * Nothing of this is on the disk but the cursor, before which all is done: after a restart what the
 * second lane had brought comes once more, with the same series and time. */
#ifndef LANES_H
#define LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A store that takes less than comes for hours makes one each ten seconds or so (feed.c). */
#define LANES_RANGES_MAX 4096

struct lanes_range {
    uint64_t from, to; /* taken out of turn: from … to - 1 */
};

struct lanes {
    uint64_t next;
    struct lanes_range ahead[LANES_RANGES_MAX]; /* ascending; never one that begins at `next` */
    size_t n;
};

void lanes_init(struct lanes *lanes, uint64_t cursor);

/* From now on what comes at `end` is new. False where it is already, or there is no room for one
 * more range; the second lane then goes on where it is. */
bool lanes_split(struct lanes *lanes, uint64_t end);

bool lanes_are_two(const struct lanes *lanes);

/* The first lane may take the records before this one: UINT64_MAX for all. */
uint64_t lanes_limit(const struct lanes *lanes);

/* The first lane took all before `to`. True where it goes on further down than that. */
bool lanes_took_old(struct lanes *lanes, uint64_t to);

uint64_t
lanes_new(const struct lanes *lanes); /* where the second lane goes on; there must be one */
void lanes_took_new(struct lanes *lanes, uint64_t to);

#endif
