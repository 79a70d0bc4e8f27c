/* What happens to a message before the broker gets its acknowledgement: it is appended to the
 * spool, or the library's thread waits until it can be. Runs on that thread; the rest may ask from
 * the loop. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "health.h"
#include "mqtt.h"
#include "spool.h"

struct receiver;

/* All borrowed until the end. Returns 0 or -errno. */
int receiver_open(struct receiver **out, struct spool *spool, struct health *health);
void receiver_close(struct receiver *receiver); /* after the library's thread is gone */

/* On the library's thread. 0 where the message is in the spool; -errno where nobody waits any more.
 */
int receiver_on_message(struct receiver *receiver, const struct mqtt_message *message);

/* Whoever waits for room gives up, and the message stays with the broker. */
void receiver_stop(struct receiver *receiver);

/* Why nothing is taken now: 0, or the -errno of the append that is tried again and again. */
int receiver_blocked(const struct receiver *receiver);

#endif
