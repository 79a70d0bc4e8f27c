#include "spool_list.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct inspection {
    int directory;
    struct spool_view *view;
    uint64_t oldest; /* number of the first record there is */
};

static void on_cursor(void *self, const char *name)
{
    struct inspection *inspection = self;
    struct spool_view *view = inspection->view;
    struct spool_reader_view *reader = &view->readers[view->n_readers];

    if (view->n_readers == SPOOL_READERS_MAX)
        return;
    view->n_readers++;
    snprintf(reader->name, sizeof(reader->name), "%s", name);
    if (spool_cursor_load(inspection->directory, name, &reader->cursor) == -EBADMSG)
        view->stats.torn++;
    if (reader->cursor < inspection->oldest)
        reader->cursor = inspection->oldest;
}

static int by_name(const void *a, const void *b)
{
    const struct spool_reader_view *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int look(struct spool_view *view, const struct spool_list *list, int directory)
{
    const struct spool_segment *last = list->n > 0 ? &list->items[list->n - 1] : NULL;
    struct inspection inspection = {directory, view, last ? list->items[0].first : 0};
    struct spool_stats *stats = &view->stats;
    int error = spool_cursor_each(directory, on_cursor, &inspection);

    if (error)
        return error;
    qsort(view->readers, view->n_readers, sizeof(view->readers[0]), by_name);
    stats->next = last ? last->end : 0;
    stats->first = view->n_readers > 0 ? UINT64_MAX : inspection.oldest;
    for (size_t i = 0; i < view->n_readers; i++) {
        uint64_t cursor = view->readers[i].cursor;

        stats->first = cursor < stats->first ? cursor : stats->first;
        stats->next = cursor > stats->next ? cursor : stats->next;
    }
    stats->bytes = list->bytes;
    stats->segments = list->n;
    stats->age_ms = last ? clock_now_ms() - list->items[0].written_ms : 0;
    return 0;
}

int spool_inspect(const char *directory, struct spool_view *out, char *error, size_t error_size)
{
    struct spool_list list = {0};
    struct spool_list_source source = {.path = directory, .error = error, .error_size = error_size};
    int result;

    *out = (struct spool_view){0};
    source.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source.directory < 0) {
        result = -errno;
        snprintf(error, error_size, "%s: %s", directory, strerror(errno));
        return result;
    }
    result = spool_list_load(&list, &source, &out->stats.torn);
    if (!result) {
        result = look(out, &list, source.directory);
        if (result)
            snprintf(error, error_size, "%s: %s", directory, strerror(-result));
    }
    spool_list_free(&list);
    close(source.directory);
    return result;
}
