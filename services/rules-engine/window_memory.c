#include "window_memory.h"

#include "file_replace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [EXPRESSION_NO_WINDOW] = "",
    [EXPRESSION_SLIDING] = "sliding",
    [EXPRESSION_EXPONENTIAL] = "exponential",
};

static void write_series(void *self, const struct series *series)
{
    struct buffer *out = self;
    for (size_t i = 0; i < series->n_fields; i++) {
        const struct picture_field *field = &series->fields[i];
        for (const struct picture_window *item = field->windows; item; item = item->next) {
            const struct window *window = &item->window;
            if (!window->wanted || window->last_ms == 0)
                continue;
            buffer_format(out, "%s %s %s %s %s %" PRId64, series->device->location,
                          series->device->name, series->measurement, field->name,
                          kind_names[window->kind], window->length_ms);
            window_write(window, out);
            buffer_char(out, '\n');
        }
    }
}

int window_memory_write(const char *directory, const struct picture *picture)
{
    struct buffer text = {0};
    char *path;
    int error;
    buffer_text(&text, "");
    picture_walk(picture, write_series, &text);
    if (asprintf(&path, "%s/rules.windows", directory) < 0)
        path = NULL;
    error = path ? file_replace(path, &text, 0640) : -ENOMEM;
    free(path);
    buffer_free(&text);
    return error;
}

static struct window *find(struct picture *picture, const char names[4][TOPIC_NAME_SIZE],
                           const char *kind, int64_t length_ms)
{
    bool sliding = strcmp(kind, kind_names[EXPRESSION_SLIDING]) == 0;
    if (!sliding && strcmp(kind, kind_names[EXPRESSION_EXPONENTIAL]) != 0)
        return NULL;
    for (size_t i = 0; i < 4; i++)
        if (!topic_name_valid(names[i]))
            return NULL;
    struct series *series = picture_series(picture, names[0], names[1], names[2]);
    int field = series ? series_field(series, names[3]) : -ENOMEM;
    if (field < 0)
        return NULL;
    return series_window(series, (size_t)field,
                         sliding ? EXPRESSION_SLIDING : EXPRESSION_EXPONENTIAL, length_ms);
}

static int read_line(struct picture *picture, char *line)
{
    char names[4][TOPIC_NAME_SIZE], kind[16];
    int64_t length_ms;
    int at = 0;
    size_t length = strcspn(line, "\n");
    if (line[length] == '\0')
        return 0; /* cut off */
    line[length] = '\0';
    if (sscanf(line, "%64s %64s %64s %64s %15s %" SCNd64 "%n", names[0], names[1], names[2],
               names[3], kind, &length_ms, &at) != 6 ||
        at == 0 || length_ms < EXPRESSION_WINDOW_MIN_MS || length_ms > EXPRESSION_WINDOW_MAX_MS)
        return 0;
    struct window *window = find(picture, names, kind, length_ms);
    if (!window || window->last_ms != 0)
        return 0;
    int error = window_read(window, line + at);
    return error == -EBADMSG ? 0 : error;
}

int window_memory_read(const char *directory, struct picture *picture)
{
    char *path, *line = NULL;
    size_t capacity = 0;
    int error = 0;
    if (asprintf(&path, "%s/rules.windows", directory) < 0)
        return -ENOMEM;
    FILE *file = fopen(path, "re");
    if (!file)
        error = errno == ENOENT ? 0 : -errno;
    while (file && !error && getline(&line, &capacity, file) >= 0)
        error = read_line(picture, line);
    if (file)
        fclose(file);
    free(line);
    free(path);
    return error;
}
