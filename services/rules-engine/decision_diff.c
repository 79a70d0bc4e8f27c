#include "decision_diff.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

static size_t line_size(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? (size_t)(end + 1 - line) : strlen(line);
}

static int64_t time_of(const char *line)
{
    int64_t time_ms = INT64_MAX; /* behind the last line */
    sscanf(line, "{\"t\":%" SCNd64, &time_ms);
    return time_ms;
}

/* Where the lines of the moment end. */
static const char *moment_end(const char *line)
{
    int64_t time_ms = time_of(line);
    while (*line && time_of(line) == time_ms)
        line += line_size(line);
    return line;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Bytes of a member that only counts decisions, or 0. One that comes sooner or more often shifts
 * these for all that follow. */
static size_t counting_size(const char *at)
{
    static const char id[] = ",\"id\":\"";
    static const char *const numbers[] = {",\"episode\":", ",\"seq\":"};
    if (begins(at, id))
        return sizeof(id) - 1 + strcspn(at + sizeof(id) - 1, "\"") + 1;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (begins(at, numbers[i]))
            return strlen(numbers[i]) + strspn(at + strlen(numbers[i]), "0123456789");
    return 0;
}

/* Behind "values" stand the user's own names: all of them are looked at. */
static bool is_same(const char *a, const char *b)
{
    bool in_values = false;
    for (;; a++, b++) {
        if (!in_values) {
            a += counting_size(a);
            b += counting_size(b);
        }
        if (*a != *b)
            return false;
        if (*a == '\n' || *a == '\0')
            return true;
        in_values |= begins(a, "\"values\":{");
    }
}

static bool is_in(const char *line, const char *from, const char *to)
{
    for (; from < to; from += line_size(from))
        if (is_same(from, line))
            return true;
    return false;
}

/* Prints the lines of one that are not in the other. */
static bool print_missing(const char *from, const char *to, const char *other,
                          const char *other_end, FILE *out, char mark)
{
    bool any = false;
    for (; from < to; from += line_size(from)) {
        size_t size = line_size(from);
        if (is_in(from, other, other_end))
            continue;
        fprintf(out, "%c%.*s", mark, (int)size, from);
        any = true;
    }
    return any;
}

bool decision_diff(const char *ours, const char *theirs, FILE *out)
{
    bool differ = false;
    while (*ours || *theirs) {
        int64_t our_ms = time_of(ours), their_ms = time_of(theirs);
        const char *our_end = our_ms <= their_ms ? moment_end(ours) : ours;
        const char *their_end = their_ms <= our_ms ? moment_end(theirs) : theirs;
        differ |= print_missing(ours, our_end, theirs, their_end, out, '-');
        differ |= print_missing(theirs, their_end, ours, our_end, out, '+');
        ours = our_end;
        theirs = their_end;
    }
    return differ;
}
