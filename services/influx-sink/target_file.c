#include "file_write.h"
#include "target_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEME "file://"

struct file {
    char *path;
    int64_t max_bytes;
    unsigned keep;
    int fd;
    int results[TARGET_POSTS]; /* 0 or -errno */
    bool posted[TARGET_POSTS]; /* and not asked for yet */
};

/* Opens the file, new or to be gone on with, in place of the one that is open. */
static int file_reopen(struct file *file)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (fd < 0)
        return -errno;
    if (file->fd >= 0)
        close(file->fd);
    file->fd = fd;
    return 0;
}

static void file_close(void *self)
{
    struct file *file = self;

    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    free(file);
}

static int file_open(void **self, const struct target_settings *settings)
{
    struct file *file = calloc(1, sizeof(*file));
    int error;

    if (!file)
        return -ENOMEM;
    file->fd = -1;
    file->max_bytes = settings->max_bytes;
    file->keep = settings->keep;
    file->path = strdup(settings->url + strlen(SCHEME));
    error = file->path ? file_reopen(file) : -ENOMEM;
    if (error) {
        file_close(file);
        return error;
    }
    *self = file;
    return 0;
}

/* FILE.n in `out`; FILE itself for 0. */
static int numbered(const struct file *file, unsigned n, char **out)
{
    int length = n == 0 ? asprintf(out, "%s", file->path) : asprintf(out, "%s.%u", file->path, n);

    return length < 0 ? -ENOMEM : 0;
}

/* From the oldest, which goes, to the newest. A number that is not there yet is passed over. */
static int file_rotate(struct file *file)
{
    int error = 0;

    for (unsigned n = file->keep; !error && n-- > 0;) {
        char *from = NULL, *to = NULL;

        error = numbered(file, n, &from);
        if (!error)
            error = numbered(file, n + 1, &to);
        if (!error && rename(from, to) < 0 && errno != ENOENT)
            error = -errno;
        free(from);
        free(to);
    }
    return error ? error : file_reopen(file);
}

/* A part that was written before an error is taken back: lines are whole or not there. */
static int file_append(struct file *file, const char *lines, size_t size)
{
    struct stat before;
    int error;

    if (fstat(file->fd, &before) < 0)
        return -errno;
    if (file->max_bytes > 0 && before.st_size > 0 && S_ISREG(before.st_mode) &&
        before.st_size + (int64_t)size > file->max_bytes) {
        error = file_rotate(file);
        if (error)
            return error;
        before.st_size = 0;
    }
    error = file_write(file->fd, lines, size);
    if (!error && fdatasync(file->fd) < 0)
        error = -errno;
    if (error && S_ISREG(before.st_mode) && ftruncate(file->fd, before.st_size) < 0)
        error = -errno;
    return error;
}

static void file_post(void *self, unsigned slot, const char *lines, size_t size)
{
    struct file *file = self;

    file->results[slot] = file_append(file, lines, size);
    file->posted[slot] = true;
}

static bool file_answered(void *self, unsigned slot, struct target_answer *answer)
{
    struct file *file = self;
    int error = file->results[slot];

    if (!file->posted[slot])
        return false;
    file->posted[slot] = false;
    answer->result.status = error ? 0 : 204;
    if (error)
        target_words(answer, strerror(-error), strlen(strerror(-error)));
    return true;
}

/* A file keeps nobody waiting: what was posted has ended. */
static void file_wait(void *self, struct pollfd *also, size_t n, int timeout_ms)
{
    const struct file *file = self;

    for (unsigned i = 0; i < TARGET_POSTS; i++)
        if (file->posted[i])
            return;
    poll(also, n, timeout_ms);
}

const struct target_functions target_file = {.open = file_open,
                                             .close = file_close,
                                             .post = file_post,
                                             .answered = file_answered,
                                             .wait = file_wait};
