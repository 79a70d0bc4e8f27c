#include "file_replace.h"

#include "file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whoever had a file of that name open, or made it a link to elsewhere, has nothing of the new one.
 */
static int write_new(const char *path, const struct buffer *text, mode_t mode)
{
    int fd, error;

    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    error = file_write(fd, text->data, text->size);
    if (error == 0 && fdatasync(fd) < 0)
        error = -errno;
    if (close(fd) < 0 && error == 0)
        error = -errno;
    return error;
}

/* The rename is on disk once the directory is. */
static int sync_directory(const char *path)
{
    char *copy = strdup(path); /* dirname() writes to it */
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int error = 0;

    if (!copy)
        return -ENOMEM;
    if (fd < 0 || fsync(fd) < 0)
        error = -errno;
    if (fd >= 0)
        close(fd);
    free(copy);
    return error;
}

int file_replace(const char *path, const struct buffer *text, mode_t mode)
{
    char *beside;
    int error;

    if (text->failed || asprintf(&beside, "%s.new", path) < 0)
        return -ENOMEM;
    error = write_new(beside, text, mode);
    if (error == 0 && rename(beside, path) < 0)
        error = -errno;
    if (error)
        unlink(beside);
    free(beside);
    return error ? error : sync_directory(path);
}
