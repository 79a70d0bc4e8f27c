/* What happens to a message before the broker gets its acknowledgement: it is appended to the
 * spool, or the library's thread waits until it can be. Runs on that thread; the rest may ask from
 * the loop. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "echo.h"
#include "health.h"
#include "mqtt.h"
#include "spool.h"

struct receiver;

/* All borrowed until the end. Returns 0 or -errno. */
int receiver_open(struct receiver **out, struct spool *spool, struct echo *echo,
                  struct health *health);
void receiver_close(struct receiver *receiver); /* after the library's thread is gone */

/* For intake_handlers.on_message, `self` the receiver. */
int receiver_on_message(void *self, const struct mqtt_message *message);

/* Whoever waits for room gives up, and the message stays with the broker. */
void receiver_stop(struct receiver *receiver);

/* Why nothing is taken now: 0, or the -errno of the append that is tried again and again. */
int receiver_blocked(const struct receiver *receiver);

#endif
