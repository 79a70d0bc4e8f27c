#include "replay.h"

#include "decision_diff.h"
#include "service.h"

#include <errno.h>
#include <stdio.h>

/* A capture's decisions by these rules. Returns the exit code. */
static int decide(const struct settings *settings, const char *path, struct buffer *out)
{
    struct capture capture = {.file = fopen(path, "re"), .name = path, .errors = stderr};
    if (!capture.file) {
        perror(path);
        return SERVICE_IO;
    }
    int error = replay_run(settings, &capture, out);
    fclose(capture.file);
    return error == 0 ? SERVICE_OK : error == -EBADMSG ? SERVICE_IO : SERVICE_INTERNAL;
}

static int compare(const struct settings *ours, const struct settings *theirs, const char *path)
{
    struct buffer our_decisions = {0}, their_decisions = {0};
    int code = decide(ours, path, &our_decisions);
    if (code == SERVICE_OK)
        code = decide(theirs, path, &their_decisions);
    if (code == SERVICE_OK) {
        if (decision_diff(buffer_string(&our_decisions), buffer_string(&their_decisions), stdout))
            code = 1;
        else
            puts("no decision differs");
    }
    buffer_free(&our_decisions);
    buffer_free(&their_decisions);
    return code;
}

static int replay_against(const struct settings *ours, const struct service_arguments *arguments)
{
    const void *settings;
    struct service_settings *other =
        service_other_open(arguments, service_argument(arguments, "against"), &settings);
    if (!other)
        return SERVICE_CONFIG;
    struct settings theirs = *(const struct settings *)settings;
    theirs.shard = ours->shard;
    int code = compare(ours, &theirs, service_argument(arguments, "replay"));
    service_other_close(arguments, other);
    return code;
}

int replay_tool(const void *settings, const struct service_arguments *arguments)
{
    struct settings own = *(const struct settings *)settings; /* borrows all that it names */
    const char *shard = service_argument(arguments, "shard");
    if (shard && shard_parse(&own.shard, shard) < 0) {
        fprintf(stderr, "--shard %s: such as 1/3, the first of three, is meant\n", shard);
        return SERVICE_USAGE;
    }
    return service_argument(arguments, "against") ? replay_against(&own, arguments)
                                                  : capture_tool(arguments, replay_run, &own);
}
