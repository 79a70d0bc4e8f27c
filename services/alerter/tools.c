#include "tools.h"

#include "explain.h"
#include "replay.h"
#include "settings.h"
#include "try_channel.h"

#include <errno.h>
#include <string.h>

static int explain(const struct settings *settings, const char *path)
{
    struct capture capture = {.file = fopen(path, "re"), .name = path, .errors = stderr};
    struct buffer out = {0};
    int rc = capture.file ? explain_run(settings, &capture, &out) : -errno;

    if (rc == -ENOENT && capture.file)
        fprintf(stderr, "%s: there is no alert in it\n", path);
    else if (rc < 0 && rc != -EBADMSG)
        fprintf(stderr, "%s: %s\n", path, strerror(-rc));
    fputs(buffer_string(&out), stdout);
    buffer_free(&out);
    if (capture.file)
        fclose(capture.file);
    return rc < 0 ? SERVICE_IO : SERVICE_OK;
}

int tools_run(const void *settings, const struct service_arguments *arguments)
{
    const char *path = service_argument(arguments, "route");

    if (path)
        return explain(settings, path);
    if (service_argument(arguments, "replay"))
        return capture_tool(arguments, replay_run, settings);
    return try_channel(settings, service_argument(arguments, "test"));
}
