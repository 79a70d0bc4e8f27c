#include "capture.h"
#include "capture_expect.h"
#include "service.h"

#include <errno.h>
#include <string.h>

#define PIECE_SIZE (64 * 1024) /* bytes that are kept before they are printed or compared */

struct tool {
    struct buffer out;            /* what the replay has printed and nobody has seen yet */
    struct capture_expect expect; /* its file is NULL where nothing is expected */
};

static int hand_on(struct tool *tool)
{
    struct buffer *out = &tool->out;
    int rc = 0;

    if (out->failed)
        return -ENOMEM;
    if (tool->expect.file)
        rc = capture_expect_add(&tool->expect, buffer_string(out), out->size);
    else if (fwrite(buffer_string(out), 1, out->size, stdout) < out->size)
        rc = -EIO;
    buffer_clear(out);
    return rc;
}

static int on_line(void *self)
{
    struct tool *tool = self;

    return tool->out.size < PIECE_SIZE ? 0 : hand_on(tool);
}

/* Returns the exit code. */
static int finish(struct tool *tool, int rc, const struct capture *capture)
{
    if (rc == 0)
        rc = hand_on(tool);
    if (rc == 0 && tool->expect.file)
        rc = capture_expect_end(&tool->expect, stdout);
    if (fflush(stdout) != 0 && rc >= 0)
        rc = -EIO;
    if (rc < 0 && rc != -EBADMSG)
        fprintf(stderr, "%s: %s\n", capture->name, strerror(-rc));
    if (rc < 0)
        return rc == -EBADMSG || rc == -EIO ? SERVICE_IO : SERVICE_INTERNAL;
    return rc;
}

/* NULL where it cannot be read, told on standard error. */
static FILE *open_file(const char *path)
{
    FILE *file = fopen(path, "re");

    if (!file)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return file;
}

int capture_tool(const struct service_arguments *arguments, capture_replay_fn *replay,
                 const void *settings)
{
    const char *expected = service_argument(arguments, "expect");
    struct tool tool = {0};
    struct capture capture = {.name = service_argument(arguments, "replay"),
                              .errors = stderr,
                              .on_line = on_line,
                              .self = &tool};
    int code = SERVICE_IO;

    capture.file = open_file(capture.name);
    if (capture.file && expected)
        tool.expect.file = open_file(expected);
    if (capture.file && (tool.expect.file || !expected))
        code = finish(&tool, replay(settings, &capture, &tool.out), &capture);
    if (capture.file)
        fclose(capture.file);
    if (tool.expect.file)
        fclose(tool.expect.file);
    capture_expect_free(&tool.expect);
    buffer_free(&tool.out);
    return code;
}
