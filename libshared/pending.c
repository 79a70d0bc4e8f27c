#include "pending.h"

#include <stdlib.h>
#include <string.h>

static void *copy_bytes(const void *bytes, size_t size)
{
    void *copy = size != 0 ? malloc(size) : NULL;

    if (copy)
        memcpy(copy, bytes, size);
    return copy;
}

void pending_fill(struct pending *pending, const struct command *command,
                  const struct actuator_request *request)
{
    command_copy(&pending->command, command);
    if (request->response_topic)
        pending->response_topic = strdup(request->response_topic);
    pending->correlation = copy_bytes(request->correlation, request->correlation_size);
    pending->correlation_size = pending->correlation ? request->correlation_size : 0;
}

void pending_clear(struct pending *pending)
{
    free(pending->response_topic);
    free(pending->correlation);
    memset(pending, 0, sizeof *pending);
}

int64_t pending_expiry(const struct command *command, uint32_t expiry_s, int64_t now_ms,
                       int64_t time_ms)
{
    int64_t ttl = command->ttl_ms > 0 ? command->ttl_ms : PENDING_TTL_MS;
    int64_t age = command->ts_ms > 0 && command->ts_ms < time_ms ? time_ms - command->ts_ms : 0;
    int64_t left = ttl - age;
    int64_t expires;

    if (expiry_s != 0 && left > (int64_t)expiry_s * 1000)
        left = (int64_t)expiry_s * 1000;
    return __builtin_add_overflow(now_ms, left, &expires) ? INT64_MAX : expires;
}
