#include "config_file.h"

#include <errno.h>
#include <stdio.h>

int config_file_read(struct buffer *out, const char *path, size_t max)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    char block[4096];
    size_t start = out->size;
    size_t got;
    errno = 0;
    while (out->size - start <= max && (got = fread(block, 1, sizeof block, file)) > 0)
        buffer_append(out, block, got);
    int error = ferror(file) ? -errno : 0;
    fclose(file);
    if (error)
        return error;
    if (out->failed)
        return -ENOMEM;
    return out->size - start > max ? -EFBIG : 0;
}
