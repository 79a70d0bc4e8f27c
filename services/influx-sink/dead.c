#include "dead.h"

#include "jsonw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct dead {
    char *path;
    char *old_path;
    int64_t max_bytes;
    int fd;
    int64_t size;
    uint64_t forgotten;
    struct buffer line;
};

static int dead_reopen(struct dead *dead)
{
    struct stat status;
    int fd = open(dead->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    if (dead->fd >= 0)
        close(dead->fd);
    dead->fd = fd;
    dead->size = status.st_size;
    return 0;
}

int dead_open(struct dead **out, const char *path, int64_t max_bytes)
{
    struct dead *dead = calloc(1, sizeof(*dead));
    int error;

    if (!dead)
        return -ENOMEM;
    dead->fd = -1;
    dead->max_bytes = max_bytes;
    dead->path = strdup(path);
    if (dead->path && asprintf(&dead->old_path, "%s.1", path) < 0)
        dead->old_path = NULL;
    error = dead->path && dead->old_path ? dead_reopen(dead) : -ENOMEM;
    if (error) {
        dead_close(dead);
        return error;
    }
    *out = dead;
    return 0;
}

void dead_close(struct dead *dead)
{
    if (!dead)
        return;
    if (dead->fd >= 0)
        close(dead->fd);
    buffer_free(&dead->line);
    free(dead->path);
    free(dead->old_path);
    free(dead);
}

int dead_encode(const struct dead_letter *letter, size_t payload_max, struct buffer *out)
{
    const struct message *message = &letter->message;
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "ts", letter->time_ms);
    if (message->topic_length > 0)
        jsonw_bytes(&w, "topic", message->topic, message->topic_length);
    else
        jsonw_text(&w, "topic", "unknown");
    jsonw_text(&w, "reason", letter->reason);
    jsonw_bytes(&w, "detail", letter->detail, strlen(letter->detail));
    jsonw_bytes(&w, "payload", message->payload,
                message->size < payload_max ? message->size : payload_max);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}

static int dead_write(struct dead *dead)
{
    ssize_t written = write(dead->fd, dead->line.data, dead->line.size);
    int error = written < 0 ? -errno : -ENOSPC;

    if (written == (ssize_t)dead->line.size) {
        dead->size += written;
        return 0;
    }
    return ftruncate(dead->fd, dead->size) < 0 ? -errno : error;
}

/* Holds the file that the path names now, which need not be the one that was opened. */
static int dead_lock(struct dead *dead)
{
    for (;;) {
        struct stat ours, named;
        int error;

        if (flock(dead->fd, LOCK_EX) < 0 || fstat(dead->fd, &ours) < 0)
            return -errno;
        if (stat(dead->path, &named) == 0 && named.st_ino == ours.st_ino &&
            named.st_dev == ours.st_dev) {
            dead->size = ours.st_size;
            return 0;
        }
        error = dead_reopen(dead); /* lets go of the other one */
        if (error)
            return error;
    }
}

static uint64_t count_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    uint64_t n = 0;
    int c;

    if (!file)
        return 0;
    while ((c = getc_unlocked(file)) != EOF)
        n += c == '\n';
    fclose(file);
    return n;
}

static int dead_rotate(struct dead *dead)
{
    uint64_t n = count_lines(dead->old_path);
    int error;

    if (rename(dead->path, dead->old_path) < 0)
        return -errno;
    dead->forgotten += n;
    error = dead_reopen(dead);
    return error ? error : dead_lock(dead);
}

int dead_add(struct dead *dead, const struct dead_letter *letter)
{
    int error;

    buffer_clear(&dead->line);
    error = dead_encode(letter, SIZE_MAX, &dead->line);
    buffer_char(&dead->line, '\n');
    if (error || dead->line.failed)
        return -ENOMEM;
    error = dead_lock(dead);
    if (!error && dead->size > 0 && dead->size + (int64_t)dead->line.size > dead->max_bytes)
        error = dead_rotate(dead);
    if (!error)
        error = dead_write(dead);
    flock(dead->fd, LOCK_UN);
    return error;
}

uint64_t dead_forgotten(const struct dead *dead)
{
    return dead->forgotten;
}

int dead_sync(struct dead *dead)
{
    return fdatasync(dead->fd) < 0 ? -errno : 0;
}
