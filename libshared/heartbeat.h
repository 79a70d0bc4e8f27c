/* When another service was last heard: its health, or a status that says it is online. One for each
 * subscriber; several of the same service may be on one connection. On the loop. */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include "mqtt.h"

struct heartbeat;

/* Subscribes; retained messages do not count. The connection is borrowed; the instance is copied.
 * Returns 0, -ENOMEM or -ENAMETOOLONG. */
int heartbeat_open(struct heartbeat **out, struct mqtt *mqtt, const char *instance);
void heartbeat_close(struct heartbeat *heartbeat);

const char *heartbeat_instance(const struct heartbeat *heartbeat);
int64_t heartbeat_ms(const struct heartbeat *heartbeat); /* monotonic; of the open before any */

#endif
