#include "spool_state.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

int spool_start_segment(struct spool *spool, uint64_t first)
{
    int64_t now_ms = clock_now_ms();
    struct spool_segment segment = {.first = first,
                                    .end = first,
                                    .bytes = SPOOL_SEGMENT_HEADER,
                                    .begun_ms = now_ms,
                                    .written_ms = now_ms};
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

static uint64_t spool_slowest(const struct spool *spool)
{
    uint64_t slowest = spool->readers[0].cursor;

    for (size_t i = 1; i < spool->n_readers; i++)
        if (spool->readers[i].cursor < slowest)
            slowest = spool->readers[i].cursor;
    return slowest;
}

int spool_remove_oldest(struct spool *spool)
{
    int error = spool_segment_remove(spool->directory, spool->list.items[0].first);

    if (error && error != -ENOENT)
        return error;
    spool_list_pop(&spool->list);
    return 0;
}

void spool_trim(struct spool *spool)
{
    uint64_t first = spool_slowest(spool);

    spool->stats.committed += first - spool->stats.first;
    spool->stats.first = first;
    while (spool->list.n > 1 && spool->list.items[0].end <= first)
        if (spool_remove_oldest(spool) != 0)
            break;
}

static int spool_add_readers(struct spool *spool, const char *const *names)
{
    static const char *const usual[] = {"main", NULL};

    for (names = names ? names : usual; *names; names++) {
        struct spool_reader *reader = &spool->readers[spool->n_readers];

        if (spool->n_readers == SPOOL_READERS_MAX || !**names ||
            strlen(*names) >= sizeof(reader->name))
            return -EINVAL;
        strcpy(reader->name, *names);
        reader->spool = spool;
        spool_walk_init(&reader->walk, 0);
        reader->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (reader->wake < 0)
            return -errno;
        spool->n_readers++;
    }
    return spool->n_readers > 0 ? 0 : -EINVAL;
}

/* Where the readers are; `*next` becomes the highest number that any cursor knows of. */
static int spool_load_cursors(struct spool *spool, uint64_t *next)
{
    uint64_t oldest = spool->list.n > 0 ? spool->list.items[0].first : 0;

    for (size_t i = 0; i < spool->n_readers; i++) {
        struct spool_reader *reader = &spool->readers[i];
        int error = spool_cursor_load(spool->directory, reader->name, &reader->cursor);

        if (error == -EBADMSG)
            spool->stats.torn++;
        else if (error && error != -ENOENT)
            return error;
        if (reader->cursor < oldest)
            reader->cursor = oldest;
        if (*next < reader->cursor)
            *next = reader->cursor;
    }
    return 0;
}

static int spool_resume(struct spool *spool)
{
    const struct spool_segment *last = spool_list_last(&spool->list);
    struct spool_stats *stats = &spool->stats;
    int error = spool_load_cursors(spool, &stats->next);

    if (error)
        return error;
    if (!last || stats->next > last->end) {
        error = spool_start_segment(spool, stats->next);
    } else {
        stats->next = last->end;
        spool->fd = spool_segment_open(spool->directory, last->first, O_RDWR);
        error = spool->fd < 0 ? spool->fd : 0;
    }
    if (error)
        return error;
    for (size_t i = 0; i < spool->n_readers; i++) {
        struct spool_reader *reader = &spool->readers[i];

        if (reader->cursor < spool->list.items[0].first)
            reader->cursor = spool->list.items[0].first;
        spool_walk_init(&reader->walk, reader->cursor);
        if (spool->n_readers > 1) /* best effort: spool_inspect() shall know of each */
            spool_cursor_store(spool->directory, reader->name, reader->cursor);
    }
    stats->first = spool_slowest(spool);
    spool_trim(spool);
    return 0;
}

/* Of readers that are not named any more. */
static void spool_remove_cursors(void *self, const char *name)
{
    struct spool *spool = self;

    for (size_t i = 0; i < spool->n_readers; i++)
        if (strcmp(spool->readers[i].name, name) == 0)
            return;
    spool_cursor_remove(spool->directory, name);
}

static int spool_set_up(struct spool *spool, const char *const *readers, char *error,
                        size_t error_size)
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
    result = spool_add_readers(spool, readers);
    if (!result)
        result = spool_resume(spool);
    if (!result)
        result = spool_cursor_each(spool->directory, spool_remove_cursors, spool);
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
    spool->fd = -1;
    spool->max_bytes = options->max_bytes;
    spool->segment_bytes = options->segment_bytes < half ? options->segment_bytes : half;
    spool->max_age_ms = options->max_age_ms;
    spool->drop_oldest = options->drop_oldest;
    spool->sync_each = options->sync_each;
    spool->path = strdup(options->directory);
    result = spool->path ? spool_set_up(spool, options->readers, error, error_size) : -ENOMEM;
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
    for (size_t i = 0; i < spool->n_readers; i++) {
        spool_walk_free(&spool->readers[i].walk);
        close(spool->readers[i].wake);
    }
    spool_list_free(&spool->list);
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

struct spool_reader *spool_reader(struct spool *spool, size_t index)
{
    return &spool->readers[index];
}

struct spool_stats spool_stats(struct spool *spool)
{
    struct spool_stats stats;

    pthread_mutex_lock(&spool->mutex);
    stats = spool->stats;
    stats.bytes = spool->list.bytes;
    stats.segments = spool->list.n;
    stats.age_ms = clock_now_ms() - spool->list.items[0].written_ms;
    pthread_mutex_unlock(&spool->mutex);
    return stats;
}
