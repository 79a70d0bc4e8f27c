/* A message that could not be used, with the reason: root/_dead/{service}, never silently dropped
 * (contract, section 1; proto/dead-letter.schema.json). */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include "buffer.h"
#include "mqtt.h"

#include <stddef.h>
#include <stdint.h>

#define DEAD_LETTER_PAYLOAD_MAX 4096 /* bytes of the payload that are published */

/* Everything borrowed. */
struct dead_letter {
    int64_t time_ms;   /* wall clock */
    const char *topic; /* as it came; "" where it is not known */
    size_t topic_length;
    const void *payload;
    size_t size;
    const char *reason; /* a word to count by */
    const char *detail; /* a sentence for people */
};

/* Appends one JSON object with at most `payload_max` bytes of the payload. Returns 0 or -ENOMEM. */
int dead_letter_encode(const struct dead_letter *letter, size_t payload_max, struct buffer *out);

/* Publishes what came as root/_dead/{service}. Returns 0 or what mqtt_publish() does. */
int dead_letter_publish(struct mqtt *mqtt, const char *service, const struct mqtt_message *message,
                        const char *reason, const char *detail);

#endif
