#include "spool_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int spool_inspect(const char *directory, struct spool_stats *out, char *error, size_t error_size)
{
    struct spool_list list = {0};
    struct spool_list_source source = {.path = directory, .error = error, .error_size = error_size};
    const struct spool_segment *last;
    int result;

    *out = (struct spool_stats){0};
    source.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source.directory < 0) {
        result = -errno;
        snprintf(error, error_size, "%s: %s", directory, strerror(errno));
        return result;
    }
    result = spool_list_load(&list, &source, &out->torn);
    if (!result && spool_cursor_load(source.directory, &out->first) == -EBADMSG)
        out->torn++;
    last = spool_list_last(&list);
    if (last && out->first < list.items[0].first)
        out->first = list.items[0].first;
    out->next = last && last->end > out->first ? last->end : out->first;
    out->bytes = list.bytes;
    out->segments = list.n;
    spool_list_free(&list);
    close(source.directory);
    return result;
}
