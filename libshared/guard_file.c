#include "guard_file.h"

#include "topic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "fieldline guards 1\n"
#define LINE_SIZE (128 + GUARD_STARTS_MAX * 21)

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

void guard_file_begin(struct buffer *text)
{
    buffer_clear(text);
    buffer_text(text, FIRST_LINE);
}

void guard_file_put(struct buffer *text, const char *actuator, const struct guard_history *history)
{
    buffer_format(text, "%s %s %" PRId64, actuator, history->on ? "on" : "off", history->since_ms);
    for (size_t i = 0; i < history->n_starts; i++)
        buffer_format(text, " %" PRId64, history->starts_ms[i]);
    buffer_char(text, '\n');
}
