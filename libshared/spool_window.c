#include "spool_segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_SIZE (256 * 1024) /* bytes read at once */

/* Has at least min(need, limit - offset) bytes from `offset` on in the buffer. 0 or -errno. */
static int window_slide(struct spool_window *window, int64_t offset, int64_t limit, size_t need)
{
    size_t capacity = need > WINDOW_SIZE ? need : WINDOW_SIZE;
    ssize_t got;

    if (window->capacity < capacity) {
        char *data = realloc(window->data, capacity);

        if (!data)
            return -ENOMEM;
        window->data = data;
        window->capacity = capacity;
    }
    window->start = offset;
    window->size = 0;
    if (limit - offset < (int64_t)capacity)
        capacity = (size_t)(limit - offset);
    while (window->size < capacity) {
        got = pread(window->fd, window->data + window->size, capacity - window->size,
                    offset + (int64_t)window->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break; /* shorter than its writer left it: the record will be found damaged */
        window->size += (size_t)got;
    }
    return 0;
}

int spool_window_record(struct spool_window *window, int64_t offset, int64_t limit,
                        struct spool_record *out, bool *good)
{
    size_t needs[] = {0, WINDOW_SIZE, SPOOL_RECORD_HEADER + SPOOL_RECORD_MAX};

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        int error, used;

        if (needs[i] > 0) {
            error = window_slide(window, offset, limit, needs[i]);
            if (error)
                return error;
        }
        if (offset < window->start || offset > window->start + (int64_t)window->size)
            continue;
        used = spool_record_parse(window->data + (offset - window->start),
                                  (size_t)(window->start + (int64_t)window->size - offset),
                                  out->number, out, good);
        if (used != 0 || window->start + (int64_t)window->size >= limit)
            return used;
    }
    return 0;
}

void spool_window_free(struct spool_window *window)
{
    free(window->data);
    *window = (struct spool_window){.fd = -1};
}
