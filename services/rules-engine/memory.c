#include "memory.h"
#include "file_write.h"
#include "memory_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHRINK_SIZE (4 * 1024 * 1024) /* bytes given back at a time */

struct memory {
    struct engine *engine;
    char *path, *fresh_path, *damaged_path;
    int fd;       /* appending */
    int fresh_fd; /* the file that will take its place; -1 where none is under way */
    int old_fd;   /* the one whose place it took: to be emptied; -1 */
    uint64_t old_size;
    struct engine_cursor cursor;
    uint64_t size, fresh_size; /* bytes of the two */
    uint64_t added;            /* bytes since the file was written anew */
    uint64_t damaged;
    int64_t alive_ms;
    struct buffer text;
};

/* A line that was cut off has no end. */
static int read_line(struct memory *memory, const char *line, size_t size, int64_t time_ms)
{
    struct memory_line read;
    if (line[size - 1] != '\n' || memory_text_read(&read, line, size - 1) < 0) {
        memory->damaged++;
        return 0;
    }
    if (read.kind == MEMORY_ALIVE && read.alive_ms > memory->alive_ms)
        memory->alive_ms = read.alive_ms;
    if (read.kind != MEMORY_STATE)
        return 0;
    int error = engine_restore(memory->engine, &read.memory, time_ms);
    return error == -ENOENT ? 0 : error; /* a rule that is no more */
}

static int read_file(struct memory *memory, FILE *file, int64_t time_ms)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int error = 0;
    bool any = false;
    while (!error && (size = getline(&line, &capacity, file)) >= 0) {
        error = read_line(memory, line, (size_t)size, time_ms);
        any = true;
    }
    if (!any)
        memory->damaged++; /* it had a first line once */
    free(line);
    return ferror(file) ? -EIO : error;
}

/* The clock may have been set back: of several times the latest is the one to go by, and a future
 * one tells the engine that it cannot know. */
static int read_all(struct memory *memory, int64_t time_ms)
{
    FILE *file = fopen(memory->path, "re");
    if (!file)
        return errno == ENOENT ? 0 : -errno;
    int error = read_file(memory, file, time_ms);
    fclose(file);
    engine_slept(memory->engine, memory->alive_ms > 0 ? memory->alive_ms : 1);
    if (error || memory->damaged == 0)
        return error;
    unlink(memory->damaged_path);
    return link(memory->path, memory->damaged_path) < 0 ? -errno : 0;
}

/* What is in `text`, to the new file. */
static int write_fresh(struct memory *memory)
{
    if (memory->text.failed)
        return -ENOMEM;
    memory->fresh_size += memory->text.size;
    return file_write(memory->fresh_fd, memory->text.data, memory->text.size);
}

static void give_up(struct memory *memory)
{
    if (memory->fresh_fd < 0)
        return;
    close(memory->fresh_fd);
    unlink(memory->fresh_path);
    memory->fresh_fd = -1;
    memory->added = 0; /* a full disk or the like: try again later */
}

static int begin(struct memory *memory)
{
    memory->cursor = (struct engine_cursor){0};
    memory->fresh_size = 0;
    memory->fresh_fd =
        open(memory->fresh_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    if (memory->fresh_fd < 0)
        return -errno;
    buffer_clear(&memory->text);
    memory_text_head(&memory->text);
    if (memory->alive_ms > 0)
        memory_text_alive(&memory->text, memory->alive_ms);
    return write_fresh(memory);
}

static void let_go(struct memory *memory)
{
    if (memory->old_fd >= 0)
        close(memory->old_fd);
    memory->old_fd = -1;
}

/* A file of 150 MiB that is given back at once keeps the loop for 150 ms. */
static bool shrink(struct memory *memory)
{
    if (memory->old_fd < 0)
        return false;
    memory->old_size -= memory->old_size < SHRINK_SIZE ? memory->old_size : SHRINK_SIZE;
    if (memory->old_size > 0 && ftruncate(memory->old_fd, (off_t)memory->old_size) == 0)
        return true;
    let_go(memory);
    return false;
}

/* In the old one's place, so that there is always a whole one. */
static int finish(struct memory *memory)
{
    if (fdatasync(memory->fresh_fd) < 0 || rename(memory->fresh_path, memory->path) < 0)
        return -errno;
    let_go(memory);
    memory->old_fd = memory->fd;
    memory->old_size = memory->size + memory->added;
    memory->fd = memory->fresh_fd;
    memory->fresh_fd = -1;
    memory->size = memory->fresh_size;
    memory->added = 0;
    return 0;
}

static void on_memory(void *self, const struct engine_memory *state)
{
    memory_text_state(self, state);
}

/* The kernel is told to write back what it was given, so that there is little to wait for at the
 * end. */
static int write_slice(struct memory *memory)
{
    uint64_t before = memory->fresh_size;
    buffer_clear(&memory->text);
    bool more =
        engine_remember(memory->engine, &memory->cursor, MEMORY_SLICE, on_memory, &memory->text);
    int error = write_fresh(memory);
    if (error)
        return error;
    sync_file_range(memory->fresh_fd, (off_t)before, (off_t)(memory->fresh_size - before),
                    SYNC_FILE_RANGE_WRITE);
    return more ? 1 : finish(memory);
}

int memory_tick(struct memory *memory)
{
    if (memory->fresh_fd < 0)
        return shrink(memory);
    int more = write_slice(memory);
    if (more < 0)
        give_up(memory);
    return more < 0 ? more : more > 0 || memory->old_fd >= 0;
}

static int write_anew(struct memory *memory)
{
    int more = begin(memory);
    do
        more = more < 0 ? more : memory_tick(memory);
    while (more > 0);
    if (more < 0)
        give_up(memory);
    return more;
}

static int name_files(struct memory *memory, const char *directory)
{
    char **const names[] = {&memory->path, &memory->fresh_path, &memory->damaged_path};
    static const char *const behind[] = {"", ".new", ".damaged"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (asprintf(names[i], "%s/rules.memory%s", directory, behind[i]) < 0) {
            *names[i] = NULL;
            return -ENOMEM;
        }
    return 0;
}

int memory_open(struct memory **out, const char *directory, struct engine *engine, int64_t time_ms)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    if (!memory)
        return -ENOMEM;
    memory->engine = engine;
    memory->fd = memory->fresh_fd = memory->old_fd = -1;
    int error = name_files(memory, directory);
    if (!error)
        error = read_all(memory, time_ms);
    if (!error)
        error = write_anew(memory);
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
    give_up(memory);
    let_go(memory);
    if (memory->fd >= 0)
        close(memory->fd);
    buffer_free(&memory->text);
    free(memory->path);
    free(memory->fresh_path);
    free(memory->damaged_path);
    free(memory);
}

uint64_t memory_damaged(const struct memory *memory)
{
    return memory->damaged;
}

/* What is in `text`; while a new file is being written to that one, too: of what it says of a state
 * before and after, the later holds. */
static int append(struct memory *memory)
{
    if (memory->text.failed)
        return -ENOMEM;
    int error = file_write(memory->fd, memory->text.data, memory->text.size);
    memory->added += memory->text.size;
    if (memory->fresh_fd >= 0 && write_fresh(memory) < 0)
        give_up(memory);
    else if (memory->fresh_fd < 0 && memory->added > MEMORY_ADDED_MIN &&
             memory->added > memory->size && begin(memory) < 0)
        give_up(memory);
    return error;
}

int memory_add(struct memory *memory, const struct engine_memory *change)
{
    buffer_clear(&memory->text);
    memory_text_state(&memory->text, change);
    return append(memory);
}

int memory_alive(struct memory *memory, int64_t time_ms)
{
    buffer_clear(&memory->text);
    memory_text_alive(&memory->text, time_ms);
    memory->alive_ms = time_ms;
    return append(memory);
}
