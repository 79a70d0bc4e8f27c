#include "capture.h"
#include "line_diff.h"
#include "service.h"

#include <errno.h>
#include <string.h>

/* Returns 0, or the exit code, told on standard error. */
static int read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    char block[16384];
    size_t size;
    bool failed;

    while (file && (size = fread(block, 1, sizeof block, file)) > 0)
        buffer_append(out, block, size);
    failed = !file || ferror(file) || out->failed;
    if (failed)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    if (file)
        fclose(file);
    return failed ? SERVICE_IO : SERVICE_OK;
}

static int compare(const char *path, const char *actual)
{
    struct buffer expected = {0};
    int code = read_file(path, &expected);

    if (code == SERVICE_OK && line_diff(buffer_string(&expected), actual, stdout))
        code = 1;
    buffer_free(&expected);
    return code;
}

static int finish(int rc, const struct capture *capture, const char *expected,
                  const struct buffer *out)
{
    if (rc == 0 && out->failed)
        rc = -ENOMEM;
    if (rc < 0 && rc != -EBADMSG)
        fprintf(stderr, "%s: %s\n", capture->name, strerror(-rc));
    if (rc < 0)
        return rc == -EBADMSG || rc == -EIO ? SERVICE_IO : SERVICE_INTERNAL;
    if (expected)
        return compare(expected, buffer_string(out));
    return fputs(buffer_string(out), stdout) < 0 || fflush(stdout) != 0 ? SERVICE_IO : SERVICE_OK;
}

int capture_tool(const struct service_arguments *arguments, capture_replay_fn *replay,
                 const void *settings)
{
    struct capture capture = {.name = service_argument(arguments, "replay"), .errors = stderr};
    struct buffer out = {0};
    int code;

    capture.file = fopen(capture.name, "re");
    if (!capture.file) {
        fprintf(stderr, "%s: %s\n", capture.name, strerror(errno));
        return SERVICE_IO;
    }
    code = finish(replay(settings, &capture, &out), &capture, service_argument(arguments, "expect"),
                  &out);
    buffer_free(&out);
    fclose(capture.file);
    return code;
}
