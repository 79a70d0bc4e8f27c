#include "inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct inbox {
    pthread_mutex_t mutex;
    pthread_cond_t room;
    pthread_cond_t filled; /* for inbox_await() */
    struct inbox_item *first;
    struct inbox_item **end;
    size_t size;
    size_t capacity;
    bool shut;
    int fd; /* eventfd; -1: none, the taker waits for `filled` */
    inbox_free_fn *free_item;
};

int inbox_open_awaited(struct inbox **out, size_t capacity, inbox_free_fn *free_item)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    if (!inbox)
        return -ENOMEM;
    pthread_mutex_init(&inbox->mutex, NULL);
    pthread_cond_init(&inbox->room, NULL);
    pthread_cond_init(&inbox->filled, NULL);
    inbox->end = &inbox->first;
    inbox->capacity = capacity;
    inbox->fd = -1;
    inbox->free_item = free_item;
    *out = inbox;
    return 0;
}

int inbox_open(struct inbox **out, size_t capacity, inbox_free_fn *free_item)
{
    struct inbox *inbox;
    int error = inbox_open_awaited(&inbox, capacity, free_item);
    if (error != 0)
        return error;
    inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->fd < 0) {
        error = -errno;
        inbox_close(inbox);
        return error;
    }
    *out = inbox;
    return 0;
}

void inbox_close(struct inbox *inbox)
{
    if (!inbox)
        return;
    for (struct inbox_item *item = inbox->first, *next; item; item = next) {
        next = item->next;
        inbox->free_item(item);
    }
    pthread_cond_destroy(&inbox->filled);
    pthread_cond_destroy(&inbox->room);
    pthread_mutex_destroy(&inbox->mutex);
    if (inbox->fd >= 0)
        close(inbox->fd);
    free(inbox);
}

int inbox_fd(const struct inbox *inbox)
{
    return inbox->fd;
}

static bool has_room(const struct inbox *inbox, size_t size)
{
    return inbox->size == 0 ||
           (inbox->size <= inbox->capacity && size <= inbox->capacity - inbox->size);
}

static void wake_taker(struct inbox *inbox)
{
    if (inbox->fd >= 0)
        eventfd_write(inbox->fd, 1);
    else
        pthread_cond_signal(&inbox->filled);
}

/* The descriptor is written outside the lock, and only by whoever ends the emptiness: the taker
 * empties the descriptor before it takes, so a wake-up can come for nothing but is never missed. */
static int put(struct inbox *inbox, struct inbox_item *item, bool wait, bool force)
{
    pthread_mutex_lock(&inbox->mutex);
    while (wait && !inbox->shut && !has_room(inbox, item->size))
        pthread_cond_wait(&inbox->room, &inbox->mutex);
    int error = inbox->shut ? -EPIPE : !force && !has_room(inbox, item->size) ? -ENOSPC : 0;
    bool was_empty = !inbox->first;
    if (error == 0) {
        item->next = NULL;
        *inbox->end = item;
        inbox->end = &item->next;
        inbox->size += item->size;
    }
    pthread_mutex_unlock(&inbox->mutex);
    if (error == 0 && was_empty)
        wake_taker(inbox);
    return error;
}

int inbox_put(struct inbox *inbox, struct inbox_item *item)
{
    return put(inbox, item, true, false);
}

int inbox_try_put(struct inbox *inbox, struct inbox_item *item)
{
    return put(inbox, item, false, false);
}

int inbox_force(struct inbox *inbox, struct inbox_item *item)
{
    return put(inbox, item, false, true);
}

void inbox_await(struct inbox *inbox, int64_t until_ms)
{
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    int error = 0;
    pthread_mutex_lock(&inbox->mutex);
    while (!inbox->first && error != ETIMEDOUT)
        error = pthread_cond_clockwait(&inbox->filled, &inbox->mutex, CLOCK_MONOTONIC, &until);
    pthread_mutex_unlock(&inbox->mutex);
}

struct inbox_item *inbox_take(struct inbox *inbox)
{
    eventfd_t count;
    if (inbox->fd >= 0)
        eventfd_read(inbox->fd, &count);
    pthread_mutex_lock(&inbox->mutex);
    struct inbox_item *first = inbox->first;
    inbox->first = NULL;
    inbox->end = &inbox->first;
    inbox->size = 0;
    pthread_cond_broadcast(&inbox->room);
    pthread_mutex_unlock(&inbox->mutex);
    return first;
}

void inbox_shut(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    inbox->shut = true;
    pthread_cond_broadcast(&inbox->room);
    pthread_mutex_unlock(&inbox->mutex);
}

size_t inbox_size(const struct inbox *inbox)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)&inbox->mutex;
    pthread_mutex_lock(mutex);
    size_t size = inbox->size;
    pthread_mutex_unlock(mutex);
    return size;
}
