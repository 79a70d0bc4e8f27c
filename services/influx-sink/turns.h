/* Whose turn it is while a backlog is caught up with (lanes.h): what is new goes first, once each
 * batch.age, and without a pause where its batches are full; but of TURNS_NEW_MAX + 1 batches in a
 * row one is of what is old at least. Pure.
 *
 * So the backlog has a quarter of the store under any load, and all that the new leaves. What is
 * new is late only where it wants more than three quarters; where it is late for long, what comes
 * just then is made the new and the rest joins the backlog (feed.c). */
#ifndef TURNS_H
#define TURNS_H

#include <stdbool.h>
#include <stdint.h>

#define TURNS_NEW_MAX 3

struct turns {          /* starts as zeroes */
    unsigned n_new;     /* batches of what is new, since the last one of what is old */
    int64_t new_due_ms; /* the next one; monotonic, as all times */
};

bool turns_is_new(const struct turns *turns, int64_t now_ms);

/* Batches went: what is new, of which the next one is due at that time; what is old. */
void turns_took_new(struct turns *turns, int64_t due_ms);
void turns_took_old(struct turns *turns);

#endif
