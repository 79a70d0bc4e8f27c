#include "replay.h"

#include "capture.h"

static int run(const void *settings, const struct capture *capture, struct buffer *out)
{
    return replay_run(settings, capture->file, capture->name, capture->errors, out);
}

int replay_tool(const void *settings, const struct service_arguments *arguments)
{
    return capture_tool(arguments, run, settings);
}
