/* The library's synchronous client behind plain calls; the only file of mqtt that knows it. Every
 * call may block and is for the link's thread. Inside mqtt_link.c. */
#ifndef MQTT_CLIENT_H
#define MQTT_CLIENT_H

#include "mqtt_item.h"

#include <stdatomic.h>

struct mqtt_client;

/* `options` are borrowed until the end. The library's own thread puts MQTT_ITEM_ACKED and _LOST
 * into `orders`, MQTT_ITEM_MESSAGE into `events` (waiting for room there). Returns 0 or -errno. */
int mqtt_client_open(struct mqtt_client **out, const struct mqtt_options *options,
                     struct inbox *orders, struct inbox *events);
void mqtt_client_close(struct mqtt_client *client);

struct mqtt_client_session {
    bool present; /* the broker still knew us */
    unsigned
        receive_maximum; /* QoS 1 publishes it takes unacknowledged: MQTT 5, section 3.2.2.3.3 */
};

/* Returns 0, or -ECONNREFUSED with a sentence in `error`. */
int mqtt_client_connect(struct mqtt_client *client, const struct mqtt_message *will,
                        struct mqtt_client_session *out, char *error, size_t error_size);
bool mqtt_client_is_connected(struct mqtt_client *client);
void mqtt_client_disconnect(struct mqtt_client *client);

/* Returns 0; a reason code of 128 or more with which the broker refused (MQTT 5, section 3.9.3);
 * -ENOTCONN. */
int mqtt_client_subscribe(struct mqtt_client *client, const char *filter, unsigned flags);
int mqtt_client_unsubscribe(struct mqtt_client *client, const char *filter);

/* Returns 0 with the token that MQTT_ITEM_ACKED will carry (-1 at QoS 0: nothing will come);
 * -EINVAL where the message can never be sent; -ENOTCONN. */
int mqtt_client_publish(struct mqtt_client *client, const struct mqtt_item *item, int *token);

const char *mqtt_client_reason(int code); /* of an MQTT 5 reason code */

#endif
