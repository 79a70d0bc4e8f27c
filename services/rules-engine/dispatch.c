#include "dispatch.h"
#include "jsonr.h"
#include "meta_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct delivery {
    struct engine *engine;
    const struct dispatch_message *message;
    struct engine_place place;
    int64_t time_ms;
    int error;
};

static void deliver_reading(void *self, const struct reading *reading)
{
    struct delivery *delivery = self;
    int error = engine_reading(delivery->engine, &delivery->place, delivery->message->topic.name,
                               reading, delivery->message->retained, delivery->time_ms);
    if (error)
        delivery->error = error;
}

static int deliver_alert(void *self, const struct alert *alert)
{
    struct delivery *delivery = self;
    if (!delivery->message->retained) { /* our own word: all that it says is that it was heard */
        if (alert->state == ALERT_RESOLVED)
            engine_alert_came(delivery->engine, &delivery->place, delivery->message->topic.name);
        return 0;
    }
    struct engine_memory memory = {
        .rule = delivery->message->topic.name,
        .place = delivery->place,
        .active = alert->state != ALERT_RESOLVED,
        .stale = alert->state == ALERT_STALE,
        .episode = alert->episode,
        .since_ms = alert->since_ms,
        .announced = true,
    };
    int error = engine_restore(delivery->engine, &memory, delivery->time_ms);
    return error == -ENOENT ? 0 : error; /* a rule of another engine, or of yesterday */
}

/* {"state":"online|degraded|offline","since":ms,…}: contract, section 1. */
static int deliver_status(struct delivery *delivery, char *error, size_t error_size)
{
    const char *state = NULL;
    int64_t since_ms = delivery->time_ms;
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    int status = jsonr_parse_object(&in, delivery->message->payload, delivery->message->size);
    if (status)
        return status;
    status = jsonr_text(&in, "state", JSONR_REQUIRED, &state);
    if (!status)
        status = jsonr_integer(&in, "since", JSONR_OPTIONAL, &since_ms);
    if (!status)
        status = engine_status(delivery->engine, &delivery->place, strcmp(state, "offline") == 0,
                               since_ms, delivery->time_ms);
    jsonr_free(in.object);
    return status;
}

static int expect_point(void *self, const char *measurement, const char *name)
{
    struct delivery *delivery = self;
    (void)name;
    if (!topic_name_valid(measurement))
        return 0; /* nothing can come of it */
    return engine_announced(delivery->engine, &delivery->place, measurement, delivery->time_ms);
}

static int deliver_result(void *self, const struct command_result *result)
{
    struct delivery *delivery = self;
    engine_result(delivery->engine, result->id, result->outcome, result->reason, delivery->time_ms);
    return 0;
}

int dispatch(struct engine *engine, const struct dispatch_message *message, int64_t time_ms,
             char error[DISPATCH_ERROR_SIZE])
{
    struct delivery delivery = {
        .engine = engine,
        .message = message,
        .place = {message->topic.location, message->topic.device},
        .time_ms = time_ms,
    };
    int status = 0;
    if (message->size == 0 || !engine_hears(engine, &delivery.place))
        return 0; /* a retained message was cleared */
    switch (message->topic.kind) {
    case TOPIC_TELEMETRY:
        status = reading_decode(message->payload, message->size, deliver_reading, &delivery, error,
                                DISPATCH_ERROR_SIZE);
        return status ? status : delivery.error;
    case TOPIC_ALERT:
        return alert_decode(message->payload, message->size, deliver_alert, &delivery, error,
                            DISPATCH_ERROR_SIZE);
    case TOPIC_RESULT:
        return command_result_decode(message->payload, message->size, deliver_result, &delivery,
                                     error, DISPATCH_ERROR_SIZE);
    case TOPIC_STATUS:
        return deliver_status(&delivery, error, DISPATCH_ERROR_SIZE);
    case TOPIC_META:
        return meta_read(&(struct meta_reader){.on_point = expect_point, .self = &delivery},
                         message->payload, message->size, error, DISPATCH_ERROR_SIZE);
    default:
        return 0;
    }
}
