#include "dead_letter.h"

#include "clock.h"
#include "jsonw.h"
#include "topic.h"

#include <errno.h>
#include <string.h>

int dead_letter_encode(const struct dead_letter *letter, size_t payload_max, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);
    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "ts", letter->time_ms);
    if (letter->topic_length > 0)
        jsonw_bytes(&w, "topic", letter->topic, letter->topic_length);
    else
        jsonw_text(&w, "topic", "unknown");
    jsonw_text(&w, "reason", letter->reason);
    jsonw_bytes(&w, "detail", letter->detail, strlen(letter->detail));
    jsonw_bytes(&w, "payload", letter->payload,
                letter->size < payload_max ? letter->size : payload_max);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}

int dead_letter_publish(struct mqtt *mqtt, const char *service, const struct mqtt_message *message,
                        const char *reason, const char *detail)
{
    struct dead_letter letter = {.time_ms = clock_time_ms(),
                                 .topic = message->topic,
                                 .topic_length = strlen(message->topic),
                                 .payload = message->payload,
                                 .size = message->size,
                                 .reason = reason,
                                 .detail = detail};
    char topic[TOPIC_SIZE];
    struct buffer out = {0};
    int error = dead_letter_encode(&letter, DEAD_LETTER_PAYLOAD_MAX, &out);
    if (error == 0)
        error = topic_make(topic, mqtt_root(mqtt), TOPIC_DEAD, NULL, NULL, service);
    if (error == 0)
        error = mqtt_publish_text(mqtt, topic, buffer_string(&out), false);
    buffer_free(&out);
    return error;
}
