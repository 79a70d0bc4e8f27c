#include "mqtt_item.h"

#include <stdlib.h>
#include <string.h>

struct mqtt_item *mqtt_item_new(enum mqtt_item_kind kind, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    struct mqtt_item *item = calloc(1, sizeof *item + size);
    if (!item)
        return NULL;
    item->kind = kind;
    item->item.size = sizeof *item + size;
    if (text)
        item->text = memcpy(item->bytes, text, size);
    return item;
}

/* Moves `size` bytes to *end and returns where they went; a NUL follows each part. */
static const void *keep(char **end, const void *from, size_t size)
{
    if (!from)
        return NULL;
    char *place = *end;
    if (size)
        memcpy(place, from, size);
    place[size] = '\0';
    *end = place + size + 1;
    return place;
}

struct mqtt_item *mqtt_item_of_message(enum mqtt_item_kind kind, const struct mqtt_message *message)
{
    size_t topic_length = strlen(message->topic);
    size_t response_length = message->response_topic ? strlen(message->response_topic) : 0;
    size_t size = sizeof(struct mqtt_item) + topic_length + response_length + message->size +
                  message->correlation_size + 4;
    struct mqtt_item *item = malloc(size);
    if (!item)
        return NULL;
    *item = (struct mqtt_item){.kind = kind, .item.size = size, .message = *message};
    char *end = item->bytes;
    struct mqtt_message *copy = &item->message;
    copy->topic = keep(&end, message->topic, topic_length);
    copy->response_topic = keep(&end, message->response_topic, response_length);
    copy->payload = keep(&end, message->payload ? message->payload : "", message->size);
    copy->correlation = keep(&end, message->correlation, message->correlation_size);
    return item;
}

void mqtt_item_free(struct inbox_item *item)
{
    free(item);
}
