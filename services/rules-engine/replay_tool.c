#include "line_diff.h"
#include "replay.h"
#include "service.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
    if (code == SERVICE_OK && line_diff(buffer_string(&expected), decisions, stdout))
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
