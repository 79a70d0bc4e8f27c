/* What a connection is subscribed to, who is told of its messages, and whether the broker honours
 * it: each subscription with a wildcard has an echo topic (topic_echo()); what is published there
 * must come back. Does no I/O but the log's. Inside mqtt.c. */
#ifndef MQTT_SUBSCRIPTIONS_H
#define MQTT_SUBSCRIPTIONS_H

#include "mqtt.h"

struct mqtt_subscription {
    char *filter;
    char *echo_topic; /* NULL: no wildcard, nothing to put an echo in */
    unsigned flags;
    bool heard; /* the echo, on this connection */
    bool silent;
    mqtt_message_fn *on_message;
    void *self;
};

struct mqtt_subscriptions {
    struct mqtt_subscription **each; /* owned, in the order of subscribing; starts as `= {0}` */
    size_t n;
};

/* NULL on want of memory; else borrowed until it is removed. */
struct mqtt_subscription *mqtt_subscriptions_add(struct mqtt_subscriptions *subscriptions,
                                                 const char *filter, unsigned flags,
                                                 mqtt_message_fn *on_message, void *self);
void mqtt_subscriptions_remove(struct mqtt_subscriptions *subscriptions, size_t index);
void mqtt_subscriptions_clear(struct mqtt_subscriptions *subscriptions);
/* How many have that filter. */
size_t mqtt_subscriptions_count(const struct mqtt_subscriptions *subscriptions, const char *filter);

/* To the first filter that matches, and to all that are the same as that one. */
void mqtt_subscriptions_dispatch(const struct mqtt_subscriptions *subscriptions,
                                 const struct mqtt_message *message);

void mqtt_subscriptions_reconnected(struct mqtt_subscriptions *subscriptions); /* none is heard */
void mqtt_subscriptions_echo(struct mqtt_subscriptions *subscriptions, const char *topic);
/* The time for echoes is over: who was not heard is silent, and said so once. `user` is whom the
 * broker's ACL must let. */
void mqtt_subscriptions_judge(struct mqtt_subscriptions *subscriptions, const char *user);
bool mqtt_subscriptions_heard(const struct mqtt_subscriptions *subscriptions); /* all of them */
size_t mqtt_subscriptions_silent(const struct mqtt_subscriptions *subscriptions);

#endif
