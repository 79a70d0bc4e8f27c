#include "spool.h"

#include "spool_list.h"
#include "spool_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The mutex is a leaf and is not held over anything that waits for the disk but the removal of read
 * segments. It guards what stands below it; what stands above belongs to one thread. */
struct spool {
    char *path;
    int64_t max_bytes;
    int64_t segment_bytes;
    bool drop_oldest;
    bool sync_each;
    int directory; /* holds the lock against other processes */
    int wake;      /* eventfd */
    struct spool_reader reader;

    pthread_mutex_t mutex;
    int fd; /* of the last segment; changed by the writer only */
    struct spool_list list;
    struct spool_stats stats;
    bool dirty;   /* something was appended since the last sync */
    bool waiting; /* the reader has seen the end */
};

static int spool_lock(struct spool *spool, char *error, size_t error_size)
{
    if (mkdir(spool->path, 0750) < 0 && errno != EEXIST) {
        snprintf(error, error_size, "%s: %s", spool->path, strerror(errno));
        return -errno;
    }
    spool->directory = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->directory < 0 || flock(spool->directory, LOCK_EX | LOCK_NB) < 0) {
        int code = errno;

        snprintf(error, error_size, "%s: %s", spool->path,
                 code == EWOULDBLOCK ? "another process uses this spool" : strerror(code));
        return -code;
    }
    return 0;
}

/* Also after an unsynced cursor outlived unsynced records: numbers are never given twice. */
static int spool_start_segment(struct spool *spool, uint64_t first)
{
    struct spool_segment segment = {.first = first, .end = first, .bytes = SPOOL_SEGMENT_HEADER};
    int fd = spool_segment_create(spool->directory, first);
    int error;

    if (fd < 0)
        return fd;
    pthread_mutex_lock(&spool->mutex);
    error = spool_list_push(&spool->list, &segment);
    if (!error) {
        int old = spool->fd;

        spool->fd = fd;
        fd = old;
        spool->stats.next = first;
    }
    pthread_mutex_unlock(&spool->mutex);
    if (error)
        spool_segment_remove(spool->directory, first);
    if (fd >= 0)
        close(fd);
    return error;
}

/* With the mutex held. All that is read goes, but the segment that is written to. */
static void spool_trim(struct spool *spool)
{
    while (spool->list.n > 1 && spool->list.items[0].end <= spool->stats.first) {
        spool_segment_remove(spool->directory, spool->list.items[0].first);
        spool_list_pop(&spool->list);
    }
}

static int spool_resume(struct spool *spool)
{
    const struct spool_segment *last = spool_list_last(&spool->list);
    struct spool_stats *stats = &spool->stats;
    int error = spool_cursor_load(spool->directory, &stats->first);

    if (error == -EBADMSG)
        stats->torn++;
    else if (error && error != -ENOENT)
        return error;
    if (last && stats->first < spool->list.items[0].first)
        stats->first = spool->list.items[0].first;
    stats->next = last ? last->end : stats->first;
    if (!last || stats->first > last->end) {
        error = spool_start_segment(spool, stats->first);
    } else {
        spool->fd = spool_segment_open(spool->directory, last->first, O_RDWR);
        error = spool->fd < 0 ? spool->fd : 0;
    }
    if (error)
        return error;
    spool_trim(spool);
    spool_reader_init(&spool->reader, stats->first);
    return 0;
}

static int spool_set_up(struct spool *spool, char *error, size_t error_size)
{
    struct spool_list_source source = {
        .path = spool->path, .repair = true, .error = error, .error_size = error_size};
    int result = spool_lock(spool, error, error_size);

    if (result)
        return result;
    source.directory = spool->directory;
    result = spool_list_load(&spool->list, &source, &spool->stats.torn);
    if (result)
        return result;
    spool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    result = spool->wake < 0 ? -errno : spool_resume(spool);
    if (result)
        snprintf(error, error_size, "%s: %s", spool->path, strerror(-result));
    return result;
}

int spool_open(struct spool **out, const struct spool_options *options, char *error,
               size_t error_size)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    int64_t half = options->max_bytes / 2;
    int result;

    error[0] = '\0';
    if (!spool)
        return -ENOMEM;
    pthread_mutex_init(&spool->mutex, NULL);
    spool->directory = -1;
    spool->wake = -1;
    spool->fd = -1;
    spool_reader_init(&spool->reader, 0);
    spool->max_bytes = options->max_bytes;
    spool->segment_bytes = options->segment_bytes < half ? options->segment_bytes : half;
    spool->drop_oldest = options->drop_oldest;
    spool->sync_each = options->sync_each;
    spool->path = strdup(options->directory);
    result = spool->path ? spool_set_up(spool, error, error_size) : -ENOMEM;
    if (result) {
        spool_close(spool);
        return result;
    }
    *out = spool;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->fd >= 0) {
        spool_sync(spool);
        close(spool->fd);
    }
    spool_reader_free(&spool->reader);
    spool_list_free(&spool->list);
    if (spool->wake >= 0)
        close(spool->wake);
    if (spool->directory >= 0)
        close(spool->directory);
    pthread_mutex_destroy(&spool->mutex);
    free(spool->path);
    free(spool);
}

/* The descriptor is copied, so that the writer may go on to the next segment meanwhile. */
int spool_sync(struct spool *spool)
{
    int fd = -1, error = 0;

    pthread_mutex_lock(&spool->mutex);
    if (spool->dirty) {
        fd = fcntl(spool->fd, F_DUPFD_CLOEXEC, 0);
        error = fd < 0 ? -errno : 0;
        spool->dirty = fd < 0;
    }
    pthread_mutex_unlock(&spool->mutex);
    if (fd < 0)
        return error;
    if (fdatasync(fd) < 0) {
        error = -errno;
        pthread_mutex_lock(&spool->mutex);
        spool->dirty = true;
        pthread_mutex_unlock(&spool->mutex);
    }
    close(fd);
    return error;
}

static int spool_rotate(struct spool *spool)
{
    int error = spool_sync(spool);

    if (error)
        return error;
    error = spool_start_segment(spool, spool->stats.next);
    pthread_mutex_lock(&spool->mutex);
    spool_trim(spool);
    pthread_mutex_unlock(&spool->mutex);
    return error;
}

/* With the mutex held. */
static void spool_forget_oldest(struct spool *spool)
{
    uint64_t end = spool->list.items[0].end;

    if (end > spool->stats.first) {
        spool->stats.dropped += end - spool->stats.first;
        spool->stats.first = end;
    }
    spool_segment_remove(spool->directory, spool->list.items[0].first);
    spool_list_pop(&spool->list);
}

static int spool_make_room(struct spool *spool, int64_t need)
{
    int error = 0;

    pthread_mutex_lock(&spool->mutex);
    while (spool->list.bytes + need > spool->max_bytes) {
        if (!spool->drop_oldest || spool->list.n < 2) {
            error = -ENOSPC;
            break;
        }
        spool_forget_oldest(spool);
    }
    pthread_mutex_unlock(&spool->mutex);
    return error;
}

static void spool_publish(struct spool *spool, int64_t size)
{
    struct spool_segment *last;
    bool wake;

    pthread_mutex_lock(&spool->mutex);
    last = spool_list_last(&spool->list);
    last->end++;
    last->bytes += size;
    spool->list.bytes += size;
    spool->stats.next++;
    spool->stats.appended++;
    spool->dirty = !spool->sync_each;
    wake = spool->waiting;
    spool->waiting = false;
    pthread_mutex_unlock(&spool->mutex);
    if (wake)
        eventfd_write(spool->wake, 1);
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

int spool_append(struct spool *spool, const void *body, size_t size)
{
    int64_t need = (int64_t)size + SPOOL_RECORD_HEADER;
    struct spool_segment last;
    int error = 0;

    if (size > SPOOL_RECORD_MAX || need + SPOOL_SEGMENT_HEADER > spool->max_bytes)
        return -EMSGSIZE;
    last = spool_last(spool);
    if (last.end > last.first && last.bytes + need > spool->segment_bytes) {
        error = spool_rotate(spool);
        if (error)
            return error;
        last = spool_last(spool);
    }
    error = spool_make_room(spool, need);
    if (!error)
        error = spool_segment_write(spool->fd, &last, body, size);
    if (!error && spool->sync_each && fdatasync(spool->fd) < 0)
        error = -errno;
    if (!error)
        spool_publish(spool, need);
    return error;
}

/* Looks for the segment that the reader wants next. False where it has seen all. */
static bool spool_find_wanted(struct spool *spool, struct spool_segment *out)
{
    struct spool_reader *reader = &spool->reader;
    const struct spool_segment *found;
    eventfd_t ignored;

    pthread_mutex_lock(&spool->mutex);
    found = spool_list_find(&spool->list, reader->wanted);
    if (found) {
        *out = *found;
    } else {
        eventfd_read(spool->wake, &ignored);
        spool->waiting = true;
    }
    pthread_mutex_unlock(&spool->mutex);
    return found;
}

static void spool_count_corrupt(struct spool *spool, uint64_t lost)
{
    pthread_mutex_lock(&spool->mutex);
    spool->stats.corrupt += lost;
    pthread_mutex_unlock(&spool->mutex);
}

/* A segment's file that somebody took away is lost like damaged records are; one that went for room
 * was counted when it went. */
static void spool_pass_over(struct spool *spool, const struct spool_segment *segment)
{
    struct spool_reader *reader = &spool->reader;

    if (spool_stats(spool).first >= segment->end)
        return;
    spool_count_corrupt(spool, segment->end - reader->wanted);
    reader->wanted = segment->end;
}

/* 1 where the reader has records before it, 0 where it has seen all, -errno. */
static int spool_advance(struct spool *spool)
{
    struct spool_segment segment;
    int error;

    if (!spool_find_wanted(spool, &segment))
        return 0;
    if (segment.first > spool->reader.wanted) { /* a file is missing between two others */
        spool_count_corrupt(spool, segment.first - spool->reader.wanted);
        spool->reader.wanted = segment.first;
    }
    error = spool_reader_enter(&spool->reader, spool->directory, &segment);
    if (error == -ENOENT)
        spool_pass_over(spool, &segment);
    return error && error != -ENOENT ? error : 1;
}

int spool_next(struct spool *spool, struct spool_record *out)
{
    for (;;) {
        uint64_t lost = 0;
        int result;

        if (spool->drop_oldest) /* what was forgotten for room is not given out any more */
            spool_reader_pass(&spool->reader, spool_stats(spool).first);
        result = spool_reader_next(&spool->reader, out, &lost);
        if (lost > 0)
            spool_count_corrupt(spool, lost);
        if (result != 0)
            return result;
        result = spool_advance(spool);
        if (result <= 0)
            return result;
    }
}

/* Segments go first: on a full disk that makes the room that the cursor needs, and where the
 * process ends in between, reading begins with the first segment that is left. */
int spool_commit(struct spool *spool, uint64_t number)
{
    bool moved = false;

    pthread_mutex_lock(&spool->mutex);
    if (number > spool->stats.next) {
        pthread_mutex_unlock(&spool->mutex);
        return -EINVAL;
    }
    if (number > spool->stats.first) {
        spool->stats.committed += number - spool->stats.first;
        spool->stats.first = number;
        spool_trim(spool);
        moved = true;
    }
    number = spool->stats.first;
    pthread_mutex_unlock(&spool->mutex);
    return moved ? spool_cursor_store(spool->directory, number) : 0;
}

void spool_rewind(struct spool *spool)
{
    spool_reader_free(&spool->reader);
    spool_reader_init(&spool->reader, spool_stats(spool).first);
}

int spool_fd(const struct spool *spool)
{
    return spool->wake;
}

struct spool_stats spool_stats(struct spool *spool)
{
    struct spool_stats stats;

    pthread_mutex_lock(&spool->mutex);
    stats = spool->stats;
    stats.bytes = spool->list.bytes;
    stats.segments = spool->list.n;
    pthread_mutex_unlock(&spool->mutex);
    return stats;
}
