#include "memory.h"
#include "buffer.h"
#include "topic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMPACT_SIZE (256 * 1024) /* bytes that may be added before the file is written anew */

struct memory {
    struct engine *engine;
    char *path;
    int fd; /* appending */
    size_t added;
    struct buffer line;
};

static const char *state_name(const struct engine_memory *memory)
{
    if (!memory->active)
        return "inactive";
    return memory->stale ? "stale" : "active";
}

static void write_line(void *self, const struct engine_memory *memory)
{
    buffer_format(self, "%" PRId64 " %" PRIu64 " %s%s %s %s %s\n", memory->since_ms,
                  memory->episode, state_name(memory), memory->owing ? ",owing" : "",
                  memory->place.location, memory->place.device, memory->rule);
}

/* Lines that are not whole or not ours change nothing. */
static int read_line(struct memory *memory, const char *line, int64_t time_ms)
{
    char location[TOPIC_NAME_SIZE], device[TOPIC_NAME_SIZE], rule[TOPIC_NAME_SIZE], state[16], end;
    struct engine_memory out = {.rule = rule, .place = {location, device}};
    int n = sscanf(line, "%" SCNd64 " %" SCNu64 " %15s %64s %64s %64s%c", &out.since_ms,
                   &out.episode, state, location, device, rule, &end);
    if (n != 7 || end != '\n')
        return 0;
    char *owing = strchr(state, ',');
    out.owing = owing && strcmp(owing, ",owing") == 0;
    if (owing)
        *owing = '\0';
    out.active = strcmp(state, "inactive") != 0;
    out.stale = strcmp(state, "stale") == 0;
    int error = engine_restore(memory->engine, &out, time_ms);
    return error == -ENOENT ? 0 : error; /* a rule that is no more */
}

static int read_all(struct memory *memory, int64_t time_ms)
{
    FILE *file = fopen(memory->path, "re");
    char line[512];
    int error = 0;
    if (!file)
        return errno == ENOENT ? 0 : -errno;
    while (!error && fgets(line, sizeof(line), file))
        error = read_line(memory, line, time_ms);
    if (ferror(file))
        error = -EIO;
    fclose(file);
    return error;
}

static int write_whole(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* A new file in the old one's place, so that there is always a whole one. */
static int compact(struct memory *memory)
{
    char *fresh;
    if (asprintf(&fresh, "%s.new", memory->path) < 0)
        return -ENOMEM;
    buffer_clear(&memory->line);
    engine_remember(memory->engine, write_line, &memory->line);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    int error = fd < 0 ? -errno : 0;
    if (!error && memory->line.failed)
        error = -ENOMEM;
    if (!error)
        error = write_whole(fd, buffer_string(&memory->line), memory->line.size);
    if (!error && (fdatasync(fd) < 0 || rename(fresh, memory->path) < 0))
        error = -errno;
    free(fresh);
    if (error) {
        if (fd >= 0)
            close(fd);
        return error;
    }
    if (memory->fd >= 0)
        close(memory->fd);
    memory->fd = fd;
    memory->added = 0;
    return 0;
}

int memory_open(struct memory **out, const char *directory, struct engine *engine, int64_t time_ms)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    if (!memory)
        return -ENOMEM;
    memory->engine = engine;
    memory->fd = -1;
    int error = 0;
    if (asprintf(&memory->path, "%s/rules.memory", directory) < 0) {
        memory->path = NULL;
        error = -ENOMEM;
    }
    if (!error)
        error = read_all(memory, time_ms);
    if (!error)
        error = compact(memory);
    if (error) {
        memory_close(memory);
        return error;
    }
    *out = memory;
    return 0;
}

void memory_close(struct memory *memory)
{
    if (!memory)
        return;
    if (memory->fd >= 0)
        close(memory->fd);
    buffer_free(&memory->line);
    free(memory->path);
    free(memory);
}

int memory_add(struct memory *memory, const struct engine_memory *change)
{
    if (memory->added > COMPACT_SIZE) {
        int error = compact(memory); /* with the change in it: the engine has made it already */
        if (!error)
            return 0;
        memory->added = 0; /* full disk or the like: try again later, append for now */
    }
    buffer_clear(&memory->line);
    write_line(&memory->line, change);
    if (memory->line.failed)
        return -ENOMEM;
    memory->added += memory->line.size;
    return write_whole(memory->fd, memory->line.data, memory->line.size);
}
