#include "replay.h"

#include "capture.h"
#include "service.h"

#include <stdio.h>

static int run(const void *settings, const struct capture *capture, struct buffer *out)
{
    return replay_run(settings, capture->file, capture->name, capture->errors, out);
}

int replay_tool(const void *settings, const struct service_arguments *arguments)
{
    struct settings own = *(const struct settings *)settings; /* borrows all that it names */
    const char *shard = service_argument(arguments, "shard");
    if (shard && shard_parse(&own.shard, shard) < 0) {
        fprintf(stderr, "--shard %s: such as 1/3, the first of three, is meant\n", shard);
        return SERVICE_USAGE;
    }
    return capture_tool(arguments, run, &own);
}
