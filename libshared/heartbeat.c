#include "heartbeat.h"

#include "clock.h"
#include "jsonr.h"
#include "topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heartbeat {
    struct mqtt *mqtt; /* borrowed */
    const char *root;  /* borrowed */
    char instance[TOPIC_NAME_SIZE];
    int64_t heard_ms;
};

/* Its will and its farewell come on the same topic as its birth. */
static bool says_online(const struct mqtt_message *message)
{
    char error[64];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof error};
    const char *state = NULL;
    bool online;

    if (jsonr_parse_object(&in, message->payload, message->size) != 0)
        return false;
    online = jsonr_text(&in, "state", JSONR_REQUIRED, &state) == 0 && strcmp(state, "online") == 0;
    jsonr_free(in.object);
    return online;
}

static void on_message(void *self, const struct mqtt_message *message)
{
    struct heartbeat *heartbeat = self;
    struct topic topic;

    if (topic_parse(&topic, heartbeat->root, message->topic) != 0)
        return;
    if (topic.kind == TOPIC_SERVICE_HEALTH ||
        (topic.kind == TOPIC_SERVICE_STATUS && says_online(message)))
        heartbeat->heard_ms = clock_now_ms();
}

int heartbeat_open(struct heartbeat **out, struct mqtt *mqtt, const char *instance)
{
    static const enum topic_kind kinds[] = {TOPIC_SERVICE_HEALTH, TOPIC_SERVICE_STATUS};
    struct heartbeat *heartbeat = calloc(1, sizeof *heartbeat);
    char filter[TOPIC_SIZE];
    int error = heartbeat ? 0 : -ENOMEM;

    if (error)
        return error;
    heartbeat->mqtt = mqtt;
    heartbeat->root = mqtt_root(mqtt);
    snprintf(heartbeat->instance, sizeof heartbeat->instance, "%s", instance);
    heartbeat->heard_ms = clock_now_ms();
    for (size_t i = 0; i < 2 && error == 0; i++) {
        error = topic_make(filter, mqtt_root(mqtt), kinds[i], NULL, NULL, instance);
        if (error == 0)
            error = mqtt_subscribe(mqtt, filter, MQTT_LIVE, on_message, heartbeat);
    }
    /* Where the second failed the first holds on to it: it stays until the end. */
    *out = heartbeat;
    return error;
}

void heartbeat_close(struct heartbeat *heartbeat)
{
    if (heartbeat)
        mqtt_unsubscribe(heartbeat->mqtt, heartbeat);
    free(heartbeat);
}

const char *heartbeat_instance(const struct heartbeat *heartbeat)
{
    return heartbeat->instance;
}

int64_t heartbeat_ms(const struct heartbeat *heartbeat)
{
    return heartbeat->heard_ms;
}
