#include "announced.h"
#include "conflict.h"
#include "explain.h"
#include "service.h"
#include "unannounced.h"

#include <errno.h>
#include <string.h>

static int list_unannounced(const struct settings *settings, const char *path, struct buffer *out)
{
    struct announced *announced = NULL;
    struct capture capture = {.file = fopen(path, "re"), .name = path, .errors = stderr};
    int error = capture.file ? announced_open(&announced, &capture, settings->root) : -errno;
    if (error) {
        if (error != -EBADMSG)
            fprintf(stderr, "%s: %s\n", path, strerror(-error));
    } else {
        unannounced_list(announced, settings, out);
    }
    announced_close(announced);
    if (capture.file)
        fclose(capture.file);
    return error;
}

int explain_tool(const void *settings, const struct service_arguments *arguments)
{
    const char *meta = service_argument(arguments, "meta");
    struct buffer out = {0};
    int error = 0;
    explain_settings(settings, &out);
    conflict_fights(settings, &out);
    conflict_loops(settings, &out);
    if (meta)
        error = list_unannounced(settings, meta, &out);
    if (!error && out.failed)
        error = -ENOMEM;
    if (!error && (fputs(buffer_string(&out), stdout) < 0 || fflush(stdout) != 0))
        error = -EIO;
    buffer_free(&out);
    if (error == -ENOMEM)
        return SERVICE_INTERNAL;
    return error ? SERVICE_IO : SERVICE_OK;
}
