#include "replay.h"
#include "service.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT_LINES 2

static size_t line_length(const char *text)
{
    size_t length = strcspn(text, "\n");
    return text[length] == '\n' ? length + 1 : length;
}

static bool same_line(const char *a, const char *b)
{
    size_t length = line_length(a);
    return length == line_length(b) && memcmp(a, b, length) == 0;
}

static void print_lines(FILE *out, char mark, const char *text, const char *end)
{
    while (text < end) {
        size_t length = strcspn(text, "\n");
        fprintf(out, "%c%.*s\n", mark, (int)length, text);
        text += line_length(text);
    }
}

/* Start of the line before the one that begins at `at`. */
static const char *line_before(const char *text, const char *at)
{
    if (at > text)
        at--;
    while (at > text && at[-1] != '\n')
        at--;
    return at;
}

/* What begins and ends alike is left out; between, all of the one and all of the other. */
bool replay_differs(const char *expected, const char *actual, FILE *out)
{
    if (strcmp(expected, actual) == 0)
        return false;
    const char *e = expected, *a = actual;
    while (*e && *a && same_line(e, a)) {
        e += line_length(e);
        a += line_length(a);
    }
    const char *e_end = e + strlen(e), *a_end = a + strlen(a);
    while (e_end > e && a_end > a &&
           same_line(line_before(expected, e_end), line_before(actual, a_end))) {
        e_end = line_before(expected, e_end);
        a_end = line_before(actual, a_end);
    }
    const char *context = e;
    for (int i = 0; i < CONTEXT_LINES; i++)
        context = line_before(expected, context);
    print_lines(out, ' ', context, e);
    print_lines(out, '-', e, e_end);
    print_lines(out, '+', a, a_end);
    return true;
}

/* 0, or the exit code, told on standard error. */
static int read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    char block[16384];
    size_t size;
    while (file && (size = fread(block, 1, sizeof(block), file)) > 0)
        buffer_append(out, block, size);
    bool failed = !file || ferror(file) || out->failed;
    if (failed)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    if (file)
        fclose(file);
    return failed ? SERVICE_IO : SERVICE_OK;
}

static int compare(const char *path, const char *decisions)
{
    struct buffer expected = {0};
    int code = read_file(path, &expected);
    if (code == SERVICE_OK && replay_differs(buffer_string(&expected), decisions, stdout))
        code = 1;
    buffer_free(&expected);
    return code;
}

int replay_tool(const void *settings, const struct service_arguments *arguments)
{
    const char *path = service_argument(arguments, "replay");
    const char *expected = service_argument(arguments, "expect");
    FILE *capture = fopen(path, "re");
    if (!capture) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return SERVICE_IO;
    }
    struct buffer decisions = {0};
    int status = replay_run(settings, capture, path, stderr, &decisions);
    int code = SERVICE_OK;
    if (status == -EBADMSG || status == -EIO)
        code = SERVICE_IO;
    else if (status)
        code = SERVICE_INTERNAL;
    else if (expected)
        code = compare(expected, buffer_string(&decisions));
    else if (fputs(buffer_string(&decisions), stdout) < 0 || fflush(stdout) != 0)
        code = SERVICE_IO;
    if (status && status != -EBADMSG)
        fprintf(stderr, "%s: %s\n", path, strerror(-status));
    buffer_free(&decisions);
    fclose(capture);
    return code;
}
