#include "capture_expect.h"

#include "line_diff.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define CONTEXT_LINES                                                          \
    3 /* what line_diff() shows before a difference, and the line it may be in \
       */

/* At most `size` bytes more of what is expected. */
static int read_more(struct capture_expect *expect, size_t size)
{
    char block[16384];
    size_t n = 1;

    for (; size > 0 && n > 0; size -= n) {
        n = fread(block, 1, size < sizeof block ? size : sizeof block, expect->file);
        buffer_append(&expect->expected, block, n);
    }
    if (ferror(expect->file))
        return -EIO;
    return expect->expected.failed ? -ENOMEM : 0;
}

static void drop_front(struct buffer *text, size_t size)
{
    memmove(text->data, text->data + size, text->size - size + 1); /* with its NUL */
    text->size -= size;
}

/* Both are the same: the last lines are context enough. */
static void trim(struct capture_expect *expect)
{
    const char *text = expect->actual.data;
    size_t at = expect->actual.size;

    for (int lines = 0; at > 0 && lines <= CONTEXT_LINES; at--)
        lines += text[at - 1] == '\n';
    if (at == 0)
        return;
    drop_front(&expect->actual, at + 1);
    drop_front(&expect->expected, at + 1);
}

static bool is_same(const struct buffer *a, const struct buffer *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

int capture_expect_add(struct capture_expect *expect, const char *text, size_t size)
{
    int rc;

    buffer_append(&expect->actual, text, size);
    if (expect->actual.failed)
        return -ENOMEM;
    if (expect->differs)
        return 0;
    rc = read_more(expect, size);
    expect->differs = !is_same(&expect->expected, &expect->actual);
    if (rc == 0 && !expect->differs)
        trim(expect);
    return rc;
}

int capture_expect_end(struct capture_expect *expect, FILE *out)
{
    int rc = read_more(expect, SIZE_MAX);

    if (rc < 0)
        return rc;
    return line_diff(buffer_string(&expect->expected), buffer_string(&expect->actual), out);
}

void capture_expect_free(struct capture_expect *expect)
{
    buffer_free(&expect->expected);
    buffer_free(&expect->actual);
}
