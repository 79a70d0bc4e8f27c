#include "guard_file.h"

#include "topic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "fieldline guards 1\n"
#define LINE_SIZE (128 + GUARD_STARTS_MAX * 21)

struct guard_file {
    FILE *out;
    char *path;
    char *beside;
};

static void read_starts(const char *text, struct guard_history *history)
{
    char *end;

    while (history->n_starts < GUARD_STARTS_MAX) {
        int64_t start_ms = strtoll(text, &end, 10);

        if (end == text || start_ms < 0)
            return;
        history->starts_ms[history->n_starts++] = start_ms;
        text = end;
    }
}

static void read_line(const char *line, guard_file_fn *on_history, void *self)
{
    char actuator[TOPIC_NAME_SIZE];
    char state[4];
    struct guard_history history = {0};
    int at = 0;

    if (sscanf(line, "%64s %3s %" SCNd64 "%n", actuator, state, &history.since_ms, &at) != 3 ||
        history.since_ms < 0)
        return;
    history.on = strcmp(state, "on") == 0;
    read_starts(line + at, &history);
    on_history(self, actuator, &history);
}

int guard_file_load(const char *path, guard_file_fn *on_history, void *self)
{
    FILE *in = fopen(path, "re");
    char line[LINE_SIZE];
    int error;

    if (!in)
        return errno == ENOENT ? 0 : -errno;
    if (fgets(line, sizeof line, in) && strcmp(line, FIRST_LINE) == 0)
        while (fgets(line, sizeof line, in))
            read_line(line, on_history, self);
    error = ferror(in) ? -EIO : 0;
    fclose(in);
    return error;
}

static void discard(struct guard_file *file)
{
    free(file->path);
    free(file->beside);
    free(file);
}

int guard_file_begin(struct guard_file **out, const char *path)
{
    struct guard_file *file = calloc(1, sizeof *file);
    int error = -ENOMEM;

    if (!file)
        return -ENOMEM;
    file->path = strdup(path);
    if (asprintf(&file->beside, "%s.new", path) < 0)
        file->beside = NULL;
    if (file->path && file->beside) {
        file->out = fopen(file->beside, "we");
        error = file->out ? 0 : -errno;
    }
    if (error) {
        discard(file);
        return error;
    }
    fputs(FIRST_LINE, file->out);
    *out = file;
    return 0;
}

void guard_file_put(struct guard_file *file, const char *actuator,
                    const struct guard_history *history)
{
    fprintf(file->out, "%s %s %" PRId64, actuator, history->on ? "on" : "off", history->since_ms);
    for (size_t i = 0; i < history->n_starts; i++)
        fprintf(file->out, " %" PRId64, history->starts_ms[i]);
    fputc('\n', file->out);
}

int guard_file_commit(struct guard_file *file)
{
    bool good = ferror(file->out) == 0;
    int error = 0;

    if (fclose(file->out) != 0 || !good)
        error = -EIO;
    if (error == 0 && rename(file->beside, file->path) < 0)
        error = -errno;
    if (error)
        unlink(file->beside);
    discard(file);
    return error;
}
