/* What the loop and the connection's thread hand each other, and a message copied whole into it.
 * Inside mqtt.c, mqtt_link.c and intake.c. */
#ifndef MQTT_ITEM_H
#define MQTT_ITEM_H

#include "inbox.h"
#include "mqtt.h"

enum mqtt_item_kind {
    /* loop -> link */
    MQTT_ITEM_PUBLISH,
    MQTT_ITEM_SUBSCRIBE,   /* text: the filter; flags */
    MQTT_ITEM_UNSUBSCRIBE, /* text: the filter */
    MQTT_ITEM_UNSUBSCRIBE_ALL,
    MQTT_ITEM_START,
    MQTT_ITEM_STOP, /* number: monotonic ms of the deadline */
    /* the library's callbacks -> link */
    MQTT_ITEM_ACKED, /* token, code: the reason code of the PUBACK */
    MQTT_ITEM_LOST,  /* text: why */
    /* link -> loop */
    MQTT_ITEM_UP,      /* number: session; flags: 1 where the broker still knew us */
    MQTT_ITEM_DOWN,    /* text: why; also when an attempt fails for a new reason */
    MQTT_ITEM_REFUSED, /* text: the filter; code: reason code of the SUBACK */
    MQTT_ITEM_DONE, /* a message with a ticket in `number` has ended; code: see mqtt_publish_told()
                     */
    MQTT_ITEM_MESSAGE
};

struct mqtt_item {
    struct inbox_item item; /* first: an inbox holds these */
    enum mqtt_item_kind kind;
    int token;
    int code;
    unsigned flags;
    int64_t number;              /* of what is published: a ticket of mqtt_tickets.h, or 0 */
    bool echo;                   /* published as a self-test: not counted */
    const char *text;            /* into `bytes` */
    struct mqtt_message message; /* its pointers into `bytes` */
    char bytes[];
};

/* `text` may be NULL. NULL on want of memory. */
struct mqtt_item *mqtt_item_new(enum mqtt_item_kind kind, const char *text);
struct mqtt_item *mqtt_item_of_message(enum mqtt_item_kind kind,
                                       const struct mqtt_message *message);
void mqtt_item_free(struct inbox_item *item);

#endif
