/* A bounded queue by which one thread hands messages to another, with a descriptor to poll, or
 * without one for a taker that waits for nothing else.
 *
 * The items are the caller's: a struct that begins with a struct inbox_item, from malloc(). Any
 * thread puts, one thread takes. Its mutex is a leaf: nothing is called while it is held. */
#ifndef INBOX_H
#define INBOX_H

#include <stddef.h>
#include <stdint.h>

struct inbox;

struct inbox_item {
    struct inbox_item *next; /* the inbox's while the item is in it, the taker's after */
    size_t size;             /* bytes it counts for; set before putting */
};

typedef void inbox_free_fn(struct inbox_item *item);

/* `capacity` in bytes. `free_item` gets what is left at inbox_close(). Returns 0, -ENOMEM or
 * -errno. */
int inbox_open(struct inbox **out, size_t capacity, inbox_free_fn *free_item);
void inbox_close(struct inbox *inbox); /* no other thread may use it any more */

/* The same without a descriptor: a thousand of them cost none. For inbox_await(). */
int inbox_open_awaited(struct inbox **out, size_t capacity, inbox_free_fn *free_item);

/* Readable while the inbox is not empty. Borrowed; -1 where it was opened without. */
int inbox_fd(const struct inbox *inbox);

/* Waits until there is an item, or until `until_ms` on the monotonic clock; for one that was opened
 * without a descriptor. */
void inbox_await(struct inbox *inbox, int64_t until_ms);

/* All three take ownership where they return 0; otherwise the item stays the caller's.
 * inbox_put      waits for room. -EPIPE once shut.
 * inbox_try_put  -ENOSPC where there is no room, -EPIPE once shut.
 * inbox_force    never refused for room: for the few items that must not be lost, such as "link
 *                down", of which the putter bounds the number. -EPIPE once shut.
 * An item larger than the capacity is taken when the inbox is empty. */
int inbox_put(struct inbox *inbox, struct inbox_item *item);
int inbox_try_put(struct inbox *inbox, struct inbox_item *item);
int inbox_force(struct inbox *inbox, struct inbox_item *item);

/* Gives away all items, the oldest first, linked by `next`; NULL where there is none. */
struct inbox_item *inbox_take(struct inbox *inbox);

/* From now on every put is refused and every waiting one returns. */
void inbox_shut(struct inbox *inbox);

size_t inbox_size(const struct inbox *inbox); /* bytes waiting; for health */

#endif
