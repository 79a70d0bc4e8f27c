/* The thread that owns the library's client: connects, subscribes, publishes within a window, and
 * tells the loop. It knows no handlers and no topics but the birth's. Inside mqtt.c. */
#ifndef MQTT_LINK_H
#define MQTT_LINK_H

#include "mqtt_item.h"

#include <stdatomic.h>

struct mqtt_link;

/* Written by the link, read by anybody. */
struct mqtt_link_counts {
    _Atomic uint64_t published;
    _Atomic uint64_t dropped;
    _Atomic uint64_t refused;
    _Atomic uint64_t connects;
    _Atomic uint64_t failures;
    _Atomic uint64_t outstanding_bytes; /* taken from mqtt_link_put() and not yet ended */
};

/* `options` are borrowed until the end, `events` receives what is for the loop. The thread starts
 * here and connects after MQTT_ITEM_START, with all filters that were put before. Returns 0 or
 * -errno. */
int mqtt_link_open(struct mqtt_link **out, const struct mqtt_options *options,
                   struct inbox *events);

/* After MQTT_ITEM_STOP was put, waits for the thread and frees. `events` must be drained or shut.
 */
void mqtt_link_close(struct mqtt_link *link);

/* Takes ownership where it returns 0; -ENOSPC where the outbox is full. */
int mqtt_link_put(struct mqtt_link *link, struct mqtt_item *item);

const struct mqtt_link_counts *mqtt_link_counts(const struct mqtt_link *link);

#endif
