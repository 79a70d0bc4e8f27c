#include "field_types_file.h"

#include "file_replace.h"
#include "jsonr.h"
#include "jsonw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "fieldline-types"
#define VERSION 1

static int read_head(const char *line, size_t size)
{
    char error[160];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof(error)};
    const char *format = "";
    int64_t version = 0;

    if (jsonr_parse_object(&in, line, size) != 0)
        return -EPROTO;
    jsonr_text(&in, "format", JSONR_OPTIONAL, &format);
    jsonr_integer(&in, "version", JSONR_OPTIONAL, &version);
    size = strcmp(format, FORMAT) == 0 && version == VERSION;
    jsonr_free(in.object);
    return size ? 0 : -EPROTO;
}

/* 0, or 1 for a line that says nothing. */
static int read_line(struct field_types *types, const char *line, size_t size)
{
    char error[160];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof(error)};
    const char *measurement, *field, *name;
    enum field_type type;
    int result = 1;

    if (jsonr_parse_object(&in, line, size) != 0)
        return 1;
    if (jsonr_text(&in, "measurement", JSONR_REQUIRED, &measurement) == 0 &&
        jsonr_text(&in, "field", JSONR_REQUIRED, &field) == 0 &&
        jsonr_text(&in, "type", JSONR_REQUIRED, &name) == 0 && field_type_parse(&type, name) == 0) {
        field_types_set(types, measurement, field, type);
        result = 0;
    }
    jsonr_free(in.object);
    return result;
}

int field_types_load(struct field_types *types, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int result;

    if (!file)
        return errno == ENOENT ? 0 : -errno;
    size = getline(&line, &capacity, file);
    result = size < 0 ? -EPROTO : read_head(line, (size_t)size);
    while (result >= 0 && (size = getline(&line, &capacity, file)) > 0)
        result += read_line(types, line, (size_t)size);
    if (ferror(file))
        result = -EIO;
    free(line);
    fclose(file);
    if (result == 0)
        field_types_take_change(types);
    return result;
}

static void put_type(void *self, const char *measurement, const char *field, enum field_type type)
{
    struct buffer *out = self;
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "measurement", measurement);
    jsonw_text(&w, "field", field);
    jsonw_text(&w, "type", field_type_name(type));
    jsonw_object_end(&w);
    buffer_char(out, '\n');
}

int field_types_save(const struct field_types *types, const char *path)
{
    struct buffer text = {0};
    int error;

    buffer_format(&text, "{\"format\":\"" FORMAT "\",\"version\":%d}\n", VERSION);
    field_types_each(types, put_type, &text);
    error = file_replace(path, &text, 0640);
    buffer_free(&text);
    return error;
}
