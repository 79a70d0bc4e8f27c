/* What is to be published: waiting, or sent and not yet acknowledged. Pure; owns its items. Inside
 * mqtt_link.c. */
#ifndef MQTT_OUTBOX_H
#define MQTT_OUTBOX_H

#include "mqtt_item.h"

/* Large enough to fill a link of 1 ms round trip, small enough that what is sent twice after a
 * reconnect does not matter. */
#define MQTT_OUTBOX_WINDOW 64

struct mqtt_outbox {
    struct inbox_item *first; /* waiting, the oldest first */
    struct inbox_item **end;
    struct mqtt_item *window[MQTT_OUTBOX_WINDOW]; /* sent, the oldest first */
    size_t n_window;
    size_t window_max; /* the broker's Receive Maximum may lower it */
};

void mqtt_outbox_init(struct mqtt_outbox *outbox);
void mqtt_outbox_free(struct mqtt_outbox *outbox);

void mqtt_outbox_append(struct mqtt_outbox *outbox, struct mqtt_item *item);
void mqtt_outbox_prepend(struct mqtt_outbox *outbox,
                         struct mqtt_item *item); /* ahead of all that waits */

/* All three give the item away; NULL where there is none. */
struct mqtt_item *mqtt_outbox_oldest(struct mqtt_outbox *outbox); /* of those that wait */
struct mqtt_item *
mqtt_outbox_next(struct mqtt_outbox *outbox); /* likewise, if the window has room */
struct mqtt_item *mqtt_outbox_acked(struct mqtt_outbox *outbox, int token);

void mqtt_outbox_sent(struct mqtt_outbox *outbox, struct mqtt_item *item); /* into the window */

/* The connection went: what is in the window waits again, ahead of the rest and in its old order.
 */
void mqtt_outbox_unwind(struct mqtt_outbox *outbox);

bool mqtt_outbox_empty(const struct mqtt_outbox *outbox);

#endif
