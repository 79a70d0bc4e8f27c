#include "ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ledger_file {
    char *path;
    char *old_path;
    int64_t max_bytes;
    int64_t size;
    int fd;
    struct buffer line; /* kept for its memory */
};

static int open_log(struct ledger_file *file)
{
    struct stat status;

    file->fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file->fd < 0 || fstat(file->fd, &status) < 0)
        return -errno;
    file->size = status.st_size;
    /* A line that was cut short must not swallow the next one. */
    return file->size > 0 && write(file->fd, "\n", 1) != 1 ? -EIO : 0;
}

int ledger_file_open(struct ledger_file **out, const char *path, int64_t max_bytes)
{
    struct ledger_file *file = calloc(1, sizeof *file);
    int error = -ENOMEM;

    if (!file)
        return -ENOMEM;
    file->fd = -1;
    file->max_bytes = max_bytes;
    file->path = strdup(path);
    if (asprintf(&file->old_path, "%s.old", path) < 0)
        file->old_path = NULL;
    if (file->path && file->old_path)
        error = open_log(file);
    if (error) {
        ledger_file_close(file);
        return error;
    }
    *out = file;
    return 0;
}

void ledger_file_close(struct ledger_file *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    buffer_free(&file->line);
    free(file->path);
    free(file->old_path);
    free(file);
}

struct reader {
    ledger_file_fn *on_result;
    void *self;
    const char *actuator;
};

static int on_decoded(void *self, const struct command_result *result)
{
    const struct reader *reader = self;

    reader->on_result(reader->self, reader->actuator, result);
    return 0;
}

/* Returns 0, or -EBADMSG for a line that says nothing. Cuts it at the space. */
static int read_line(struct reader *reader, char *line)
{
    char error[128];
    char *space = strchr(line, ' ');

    if (!space)
        return -EBADMSG;
    *space = '\0';
    reader->actuator = line;
    return command_result_decode(space + 1, strlen(space + 1), on_decoded, reader, error,
                                 sizeof error);
}

static size_t load(const char *path, struct reader *reader)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    size_t n_bad = 0;
    ssize_t length;

    if (!in)
        return 0;
    while ((length = getline(&line, &capacity, in)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && read_line(reader, line) != 0)
            n_bad++;
    }
    free(line);
    fclose(in);
    return n_bad;
}

size_t ledger_file_load(const struct ledger_file *file, ledger_file_fn *on_result, void *self)
{
    struct reader reader = {.on_result = on_result, .self = self};

    return load(file->old_path, &reader) + load(file->path, &reader);
}

static int rotate(struct ledger_file *file)
{
    if (rename(file->path, file->old_path) < 0)
        return -errno;
    close(file->fd);
    return open_log(file);
}

int ledger_file_add(struct ledger_file *file, const char *actuator,
                    const struct command_result *result)
{
    struct command_result kept = *result;
    int error = 0;
    ssize_t written;

    kept.message = NULL; /* the ledger does not keep it either */
    buffer_clear(&file->line);
    buffer_text(&file->line, actuator);
    buffer_char(&file->line, ' ');
    command_result_encode(&kept, &file->line);
    buffer_char(&file->line, '\n');
    if (file->line.failed)
        return -ENOMEM;
    if (file->size > 0 && file->size + (int64_t)file->line.size > file->max_bytes)
        error = rotate(file);
    if (error)
        return error;
    written = write(file->fd, file->line.data, file->line.size);
    if (written < 0)
        return -errno;
    file->size += written;
    return (size_t)written == file->line.size ? 0 : -ENOSPC;
}
