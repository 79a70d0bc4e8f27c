#include "spool_state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

/* Looks for the segment that the reader wants next. False where it has seen all. */
static bool reader_find_wanted(struct spool_reader *reader, struct spool_segment *out)
{
    struct spool *spool = reader->spool;
    const struct spool_segment *found;
    eventfd_t ignored;

    pthread_mutex_lock(&spool->mutex);
    found = spool_list_find(&spool->list, reader->walk.wanted);
    if (found) {
        *out = *found;
    } else if (!reader->main) {
        eventfd_read(reader->wake, &ignored);
        reader->waiting = true;
    }
    pthread_mutex_unlock(&spool->mutex);
    return found;
}

/* What is damaged is so for each reader: the spool's count is that of who found the most. */
static void reader_count_corrupt(struct spool_reader *reader, uint64_t lost)
{
    struct spool *spool = reader->spool;

    if (reader->main)
        reader = reader->main;
    pthread_mutex_lock(&spool->mutex);
    reader->corrupt += lost;
    if (spool->stats.corrupt < reader->corrupt)
        spool->stats.corrupt = reader->corrupt;
    pthread_mutex_unlock(&spool->mutex);
}

uint64_t spool_cursor(struct spool_reader *reader)
{
    uint64_t cursor;

    if (reader->main)
        reader = reader->main;
    pthread_mutex_lock(&reader->spool->mutex);
    cursor = reader->cursor;
    pthread_mutex_unlock(&reader->spool->mutex);
    return cursor;
}

uint64_t spool_end(struct spool_reader *reader)
{
    uint64_t end;

    pthread_mutex_lock(&reader->spool->mutex);
    end = reader->spool->stats.next;
    pthread_mutex_unlock(&reader->spool->mutex);
    return end;
}

/* A segment's file that somebody took away is lost like damaged records are; one that went for room
 * was counted when it went. */
static void reader_pass_over(struct spool_reader *reader, const struct spool_segment *segment)
{
    if (spool_cursor(reader) >= segment->end)
        return;
    reader_count_corrupt(reader, segment->end - reader->walk.wanted);
    reader->walk.wanted = segment->end;
}

/* 1 where the reader has records before it, 0 where it has seen all, -errno. */
static int reader_advance(struct spool_reader *reader)
{
    struct spool_walk *walk = &reader->walk;
    struct spool_segment segment;
    int error;

    if (!reader_find_wanted(reader, &segment))
        return 0;
    if (segment.first > walk->wanted) { /* a file is missing between two others */
        reader_count_corrupt(reader, segment.first - walk->wanted);
        walk->wanted = segment.first;
    }
    error = spool_walk_enter(walk, reader->spool->directory, &segment);
    if (error == -ENOENT)
        reader_pass_over(reader, &segment);
    return error && error != -ENOENT ? error : 1;
}

int spool_next(struct spool_reader *reader, struct spool_record *out)
{
    for (;;) {
        uint64_t lost = 0;
        int result;

        if (reader->spool->drop_oldest) /* what was forgotten for room is not given out any more */
            spool_walk_pass(&reader->walk, spool_cursor(reader));
        result = spool_walk_next(&reader->walk, out, &lost);
        if (lost > 0)
            reader_count_corrupt(reader, lost);
        if (result != 0)
            return result;
        result = reader_advance(reader);
        if (result <= 0)
            return result;
    }
}

/* Segments go first: on a full disk that makes the room that the cursor needs, and where the
 * process ends in between, reading begins with the first segment that is left. */
int spool_commit(struct spool_reader *reader, uint64_t number)
{
    struct spool *spool = reader->spool;
    bool moved = false;

    pthread_mutex_lock(&spool->mutex);
    if (number > spool->stats.next) {
        pthread_mutex_unlock(&spool->mutex);
        return -EINVAL;
    }
    if (number > reader->cursor) {
        reader->cursor = number;
        spool_trim(spool);
        moved = true;
    }
    pthread_mutex_unlock(&spool->mutex);
    return moved ? spool_cursor_store(spool->directory, reader->name, number) : 0;
}

void spool_seek(struct spool_reader *reader, uint64_t number)
{
    uint64_t cursor = spool_cursor(reader);

    spool_walk_free(&reader->walk);
    spool_walk_init(&reader->walk, number > cursor ? number : cursor);
}

int spool_follow(struct spool_reader **out, struct spool_reader *reader)
{
    struct spool_reader *follower = calloc(1, sizeof(*follower));

    if (!follower)
        return -ENOMEM;
    follower->spool = reader->spool;
    follower->main = reader;
    follower->wake = -1;
    spool_walk_init(&follower->walk, spool_cursor(reader));
    *out = follower;
    return 0;
}

void spool_unfollow(struct spool_reader *follower)
{
    if (!follower)
        return;
    spool_walk_free(&follower->walk);
    free(follower);
}

int spool_fd(const struct spool_reader *reader)
{
    return reader->wake;
}

uint64_t spool_waiting(struct spool_reader *reader)
{
    uint64_t waiting;

    pthread_mutex_lock(&reader->spool->mutex);
    waiting = reader->spool->stats.next - reader->cursor;
    pthread_mutex_unlock(&reader->spool->mutex);
    return waiting;
}
