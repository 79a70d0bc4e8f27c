#include "hear.h"

#include "jsonr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct heard {
    struct core *core;
    const struct hear_message *message;
    int64_t time_ms;
};

static int on_alert(void *self, const struct alert *alert)
{
    const struct heard *heard = self;
    const struct hear_message *message = heard->message;

    return core_alert(heard->core, &message->topic, alert, message->retained && message->known,
                      heard->time_ms);
}

static int hear_alert(struct core *core, const struct hear_message *message, int64_t time_ms,
                      char error[HEAR_ERROR_SIZE])
{
    struct heard heard = {core, message, time_ms};
    int rc;

    if (message->size == 0) { /* the retained alert was deleted */
        rc = core_remove(core, &message->topic, time_ms);
        return rc == -ENOENT ? 0 : rc;
    }
    rc = alert_decode(message->payload, message->size, on_alert, &heard, error, HEAR_ERROR_SIZE);
    if (rc < 0 && rc != -EBADMSG)
        snprintf(error, HEAR_ERROR_SIZE, "no memory");
    return rc;
}

static int read_ack(const struct jsonr *in, const char **by, const char **comment)
{
    int rc = jsonr_text(in, "by", JSONR_REQUIRED, by);

    if (rc == 0 && (**by == '\0' || strlen(*by) >= SILENCE_WHO_SIZE))
        rc = jsonr_fail(in, "by", "a name of 1 to %d bytes is expected", SILENCE_WHO_SIZE - 1);
    if (rc == 0)
        rc = jsonr_text(in, "comment", JSONR_OPTIONAL, comment);
    return rc;
}

static int hear_ack(struct core *core, const struct hear_message *message, int64_t time_ms,
                    char error[HEAR_ERROR_SIZE])
{
    struct jsonr in = {.path = "", .error = error, .error_size = HEAR_ERROR_SIZE};
    const char *by = NULL, *comment = NULL;
    int rc = 0;

    if (message->retained) {
        snprintf(error, HEAR_ERROR_SIZE, "it was published retained, so it may be of another day");
        return -ESTALE;
    }
    if (message->size > 0) {
        rc = jsonr_parse_object(&in, message->payload, message->size);
        if (rc < 0)
            return rc;
        rc = read_ack(&in, &by, &comment);
    }
    if (rc == 0)
        rc = core_acknowledge(core, &message->topic, by, comment, time_ms);
    jsonr_free(in.object);
    if (rc == -ENOENT)
        snprintf(error, HEAR_ERROR_SIZE, "no such alert is active");
    return rc;
}

static int hear_silence(struct core *core, const struct hear_message *message, int64_t time_ms,
                        char error[HEAR_ERROR_SIZE])
{
    struct silence silence;
    int rc;

    if (message->size == 0) {
        core_lift(core, message->topic.name, time_ms);
        return 0;
    }
    rc = silence_decode(&silence, message->topic.name, message->payload, message->size, error,
                        HEAR_ERROR_SIZE);
    if (rc < 0)
        return rc;
    rc = core_silence(core, &silence);
    if (rc < 0)
        silence_free(&silence);
    if (rc == -ENOSPC)
        snprintf(error, HEAR_ERROR_SIZE, "there are %d silences already", SILENCES_MAX);
    return rc;
}

int hear(struct core *core, const struct hear_message *message, int64_t time_ms,
         char error[HEAR_ERROR_SIZE])
{
    error[0] = '\0';
    switch (message->topic.kind) {
    case TOPIC_ALERT:
        return hear_alert(core, message, time_ms, error);
    case TOPIC_ACK:
        return hear_ack(core, message, time_ms, error);
    case TOPIC_SILENCE:
        return hear_silence(core, message, time_ms, error);
    default:
        return 0;
    }
}
