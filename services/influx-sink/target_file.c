#include "target_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEME "file://"

static int file_open(void **self, const struct target_settings *settings)
{
    int fd = open(settings->url + strlen(SCHEME), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    int *kept;

    if (fd < 0)
        return -errno;
    kept = malloc(sizeof(*kept));
    if (!kept) {
        close(fd);
        return -ENOMEM;
    }
    *kept = fd;
    *self = kept;
    return 0;
}

static void file_close(void *self)
{
    close(*(int *)self);
    free(self);
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* A part that was written before an error is taken back: lines are whole or not there. */
static void file_post(void *self, const char *lines, size_t size, struct target_answer *answer)
{
    int fd = *(int *)self;
    struct stat before;
    int error = fstat(fd, &before) < 0 ? -errno : 0;

    if (!error) {
        error = write_all(fd, lines, size);
        if (!error && fdatasync(fd) < 0)
            error = -errno;
        if (error && S_ISREG(before.st_mode) && ftruncate(fd, before.st_size) < 0)
            error = -errno;
    }
    answer->result.status = error ? 0 : 204;
    if (error)
        target_words(answer, strerror(-error), strlen(strerror(-error)));
}

const struct target_functions target_file = {
    .open = file_open, .close = file_close, .post = file_post};
