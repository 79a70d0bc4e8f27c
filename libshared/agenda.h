/* What is to be done when: a binary heap of moments (Williams, "Algorithm 232: Heapsort", CACM
 * 7(6), 1964). An item knows its place, so that its moment can be moved or taken out. Pure. */
#ifndef AGENDA_H
#define AGENDA_H

#include <stddef.h>
#include <stdint.h>

struct agenda_item {
    int64_t at_ms;
    uint64_t order; /* breaks ties, so that equal moments come in one known order */
    size_t place;   /* from 1; 0 while it is not on the agenda */
};

struct agenda {                 /* starts as `= {0}` */
    struct agenda_item **items; /* owned array of borrowed items */
    size_t n;
    size_t capacity;
};

void agenda_free(struct agenda *agenda);

/* Makes room for so many items in all, so that agenda_set() cannot fail. 0 or -ENOMEM. */
int agenda_reserve(struct agenda *agenda, size_t n);

void agenda_set(struct agenda *agenda, struct agenda_item *item, int64_t at_ms); /* adds or moves */
void agenda_remove(struct agenda *agenda, struct agenda_item *item);
struct agenda_item *agenda_first(const struct agenda *agenda); /* NULL where there is none */

#endif
