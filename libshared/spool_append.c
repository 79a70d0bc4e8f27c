#include "spool_state.h"

#include "clock.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AGE_STEPS 8 /* segments in max_age_ms at least: by whole segments age is told */

static int spool_rotate(struct spool *spool)
{
    int error = spool_sync(spool);

    if (error)
        return error;
    error = spool_start_segment(spool, spool->stats.next);
    spool->rotating = error != 0;
    pthread_mutex_lock(&spool->mutex);
    spool_trim(spool);
    pthread_mutex_unlock(&spool->mutex);
    return error;
}

/* With the mutex held. */
static int spool_forget_oldest(struct spool *spool)
{
    uint64_t end = spool->list.items[0].end;
    int error = spool_remove_oldest(spool);

    if (error)
        return error;
    for (size_t i = 0; i < spool->n_readers; i++)
        if (spool->readers[i].cursor < end)
            spool->readers[i].cursor = end;
    if (end > spool->stats.first) {
        spool->stats.dropped += end - spool->stats.first;
        spool->stats.first = end;
    }
    return 0;
}

/* With the mutex held. The oldest of several segments holds what some reader still needs, or it
 * would have gone. */
static bool spool_is_full(const struct spool *spool, int64_t need, int64_t now_ms)
{
    if (spool->list.bytes + need > spool->max_bytes)
        return true;
    return spool->max_age_ms > 0 && spool->list.n > 1 &&
           now_ms - spool->list.items[0].written_ms > spool->max_age_ms;
}

static int spool_make_room(struct spool *spool, int64_t need, int64_t now_ms)
{
    int error = 0;

    pthread_mutex_lock(&spool->mutex);
    while (!error && spool_is_full(spool, need, now_ms)) {
        if (spool->drop_oldest && spool->list.n > 1)
            error = spool_forget_oldest(spool);
        else
            error = -ENOSPC;
    }
    pthread_mutex_unlock(&spool->mutex);
    return error;
}

static void spool_publish(struct spool *spool, int64_t size, int64_t now_ms)
{
    struct spool_segment *last;
    bool wake[SPOOL_READERS_MAX];

    pthread_mutex_lock(&spool->mutex);
    last = spool_list_last(&spool->list);
    last->end++;
    last->bytes += size;
    last->written_ms = now_ms;
    spool->list.bytes += size;
    spool->stats.next++;
    spool->stats.appended++;
    spool->dirty = !spool->sync_each;
    for (size_t i = 0; i < spool->n_readers; i++) {
        wake[i] = spool->readers[i].waiting;
        spool->readers[i].waiting = false;
    }
    pthread_mutex_unlock(&spool->mutex);
    for (size_t i = 0; i < spool->n_readers; i++)
        if (wake[i])
            eventfd_write(spool->readers[i].wake, 1);
}

/* Only this thread adds and grows segments; a copy of the last one stays true while it looks. */
static struct spool_segment spool_last(struct spool *spool)
{
    struct spool_segment last;

    pthread_mutex_lock(&spool->mutex);
    last = *spool_list_last(&spool->list);
    pthread_mutex_unlock(&spool->mutex);
    return last;
}

static bool spool_needs_new(const struct spool *spool, const struct spool_segment *last,
                            int64_t need, int64_t now_ms)
{
    if (spool->rotating)
        return true;
    if (last->end == last->first)
        return false;
    return last->bytes + need > spool->segment_bytes ||
           (spool->max_age_ms > 0 && now_ms - last->begun_ms > spool->max_age_ms / AGE_STEPS);
}

int spool_append(struct spool *spool, const void *body, size_t size)
{
    int64_t need = (int64_t)size + SPOOL_RECORD_HEADER;
    int64_t now_ms = clock_now_ms();
    struct spool_segment last;
    int error = 0;

    if (size > SPOOL_RECORD_MAX || need + SPOOL_SEGMENT_HEADER > spool->max_bytes)
        return -EMSGSIZE;
    last = spool_last(spool);
    if (spool_needs_new(spool, &last, need, now_ms)) {
        error = spool_rotate(spool);
        if (error)
            return error;
        last = spool_last(spool);
    }
    error = spool_make_room(spool, need, now_ms);
    if (!error)
        error = spool_segment_write(spool->fd, &last, body, size);
    if (!error && spool->sync_each && fdatasync(spool->fd) < 0)
        error = -errno;
    if (!error)
        spool_publish(spool, need, now_ms);
    return error;
}
