#include "spool_list.h"

#include "clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int spool_list_push(struct spool_list *list, const struct spool_segment *segment)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct spool_segment *items = realloc(list->items, capacity * sizeof(*items));

        if (!items)
            return -ENOMEM;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = *segment;
    list->bytes += segment->bytes;
    return 0;
}

void spool_list_pop(struct spool_list *list)
{
    list->bytes -= list->items[0].bytes;
    memmove(list->items, list->items + 1, --list->n * sizeof(*list->items));
}

struct spool_segment *spool_list_last(struct spool_list *list)
{
    return list->n > 0 ? &list->items[list->n - 1] : NULL;
}

const struct spool_segment *spool_list_find(const struct spool_list *list, uint64_t number)
{
    for (size_t i = 0; i < list->n; i++)
        if (number < list->items[i].end)
            return &list->items[i];
    return NULL;
}

void spool_list_free(struct spool_list *list)
{
    free(list->items);
    *list = (struct spool_list){0};
}

static int by_first(const void *a, const void *b)
{
    const struct spool_segment *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static int list_read_names(struct spool_list *list, int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int error = 0;

    if (!entries) {
        error = -errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    while (!error && (entry = readdir(entries))) {
        struct spool_segment segment = {0};

        if (spool_segment_parse_name(entry->d_name, &segment.first) == 0)
            error = spool_list_push(list, &segment);
    }
    closedir(entries);
    if (list->n > 0)
        qsort(list->items, list->n, sizeof(*list->items), by_first);
    return error;
}

static int cut_tail(int fd, const struct spool_segment *segment,
                    const struct spool_list_source *source, uint64_t *torn)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size <= segment->bytes)
        return 0;
    ++*torn;
    return source->repair && ftruncate(fd, segment->bytes) < 0 ? -errno : 0;
}

/* From wall clock to monotonic, so that a clock set later makes nothing old. */
static void note_times(struct spool_segment *segment, const struct stat *status)
{
    int64_t changed_ms = status->st_mtim.tv_sec * INT64_C(1000) + status->st_mtim.tv_nsec / 1000000;
    int64_t age_ms = clock_time_ms() - changed_ms;

    segment->written_ms = clock_now_ms() - (age_ms > 0 ? age_ms : 0);
    segment->begun_ms = segment->written_ms;
}

/* Returns 0; -ENODATA where it is no segment yet; -errno. */
static int load_one(int fd, struct spool_segment *segment, bool is_last,
                    const struct spool_list_source *source, uint64_t *torn)
{
    char text[200] = "";
    struct stat status;
    int result = spool_segment_check(fd, segment->first, text, sizeof(text));

    if (text[0])
        snprintf(source->error, source->error_size, "%s/%016llx.spool %s", source->path,
                 (unsigned long long)segment->first, text);
    if (result < 0)
        return result;
    *torn += (uint64_t)result;
    if (fstat(fd, &status) < 0)
        return -errno;
    note_times(segment, &status);
    if (is_last) {
        result = spool_segment_scan(fd, segment);
        return result ? result : cut_tail(fd, segment, source, torn);
    }
    segment->bytes = status.st_size;
    return 0;
}

static int load_or_remove(struct spool_segment *segment, bool is_last,
                          const struct spool_list_source *source, uint64_t *torn)
{
    int fd =
        spool_segment_open(source->directory, segment->first, source->repair ? O_RDWR : O_RDONLY);
    int error;

    if (fd == -ENOENT && !source->repair)
        return -ENODATA; /* read and removed since the directory was: somebody works here */
    if (fd < 0)
        return fd;
    error = load_one(fd, segment, is_last, source, torn);
    close(fd);
    if (error == -ENODATA) {
        ++*torn;
        if (source->repair)
            spool_segment_remove(source->directory, segment->first);
    }
    return error;
}

/* From the newest to the oldest, so that each knows where it ends: where the next one begins. */
int spool_list_load(struct spool_list *list, const struct spool_list_source *source, uint64_t *torn)
{
    struct spool_list names = {0};
    int error = list_read_names(&names, source->directory);
    bool is_last = true;
    size_t kept = names.n;

    source->error[0] = '\0';
    for (size_t i = names.n; !error && i-- > 0;) {
        struct spool_segment *segment = &names.items[i];

        if (!is_last)
            segment->end = names.items[kept].first;
        error = load_or_remove(segment, is_last, source, torn);
        if (!error) {
            names.items[--kept] = *segment;
            is_last = false;
        }
        if (error == -ENODATA)
            error = 0;
    }
    for (size_t i = kept; !error && i < names.n; i++)
        error = spool_list_push(list, &names.items[i]);
    spool_list_free(&names);
    if (error && !source->error[0])
        snprintf(source->error, source->error_size, "%s: %s", source->path, strerror(-error));
    return error;
}
