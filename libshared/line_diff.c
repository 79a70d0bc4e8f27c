#include "line_diff.h"

#include <stddef.h>
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
bool line_diff(const char *expected, const char *actual, FILE *out)
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
