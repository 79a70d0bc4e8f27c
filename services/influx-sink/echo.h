/* Whether the broker really delivers what it granted: one message is published to each filter's
 * topic_echo() and must come back. mosquitto grants subscriptions that its ACL then never serves.
 * Filters that have none, without a wildcard or shared, are not tested. */
#ifndef ECHO_H
#define ECHO_H

#include "mqtt.h"

#include <stdbool.h>
#include <stddef.h>

struct echo;

/* The filters (NULL at the end, 64 at most) are copied. Returns 0 or -ENOMEM. */
int echo_open(struct echo **out, const char *const *filters);
void echo_close(struct echo *echo);

/* On the loop: forgets what came before and publishes anew. */
void echo_send(struct echo *echo, struct mqtt *mqtt);

/* On the receiving thread: whether the topic is an echo's, of which it takes note. */
bool echo_came(struct echo *echo, const char *topic);

/* On the loop: a filter whose echo did not come, borrowed; NULL where all came. */
const char *echo_missing(const struct echo *echo);

#endif
