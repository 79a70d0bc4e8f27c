/* The payloads of proto/examples, for the tests of the readers. */
#ifndef EXAMPLES_H
#define EXAMPLES_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `payload` is in memory of exactly `size` bytes, so that ASan sees a read behind its end. */
typedef void example_fn(const char *name, const char *payload, size_t size);

static inline char *example_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text;
    long length;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    text = malloc(length > 0 ? (size_t)length : 1);
    assert_non_null(text);
    *size = fread(text, 1, (size_t)length, file);
    assert_int_equal(*size, length);
    fclose(file);
    return text;
}

static inline int example_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Runs over proto/examples/<schema>/<kind>; the test fails where there is none. */
static inline void examples_run(const char *schema, const char *kind, example_fn *run)
{
    char folder[512], path[1024];
    struct dirent **entries;
    int n;

    snprintf(folder, sizeof folder, SOURCE_DIR "/proto/examples/%s/%s", schema, kind);
    n = scandir(folder, &entries, example_shown, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        size_t size;
        char *payload;

        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        payload = example_read(path, &size);
        run(entries[i]->d_name, payload, size);
        free(payload);
        free(entries[i]);
    }
    free(entries);
}

/* Calls `run` with the payload cut short at every byte, long ones at every 61st. Space at its end,
 * which may go without harm, does not count. */
static inline void example_cut(const char *name, const char *payload, size_t size, example_fn *run)
{
    size_t step = size > 4096 ? 61 : 1;

    while (size > 0 && strchr(" \t\r\n", payload[size - 1]))
        size--;
    for (size_t length = 0; length < size; length += step) {
        char *cut = malloc(length ? length : 1);

        assert_non_null(cut);
        memcpy(cut, payload, length);
        run(name, cut, length);
        free(cut);
    }
}

#endif
