/* One way out: a queue of notifications, one of them in flight, tried again until it is taken or
 * given up. On the loop. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "breaker.h"
#include "mqtt.h"
#include "notification.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>

struct channel;

enum channel_outcome {
    CHANNEL_DELIVERED,
    CHANNEL_IN_PART, /* delivered, though not to everybody that it was for */
    CHANNEL_FAILED,  /* refused, or given up */
    CHANNEL_DROPPED  /* never tried to the end: the queue was full */
};

struct channel_handlers {
    /* A notification has ended; borrowed for the call. */
    void (*on_end)(void *self, const struct channel *channel, const struct notification *ended,
                   enum channel_outcome outcome);
    /* An attempt failed and will be repeated. */
    void (*on_retry)(void *self, const struct channel *channel, const struct notification *tried);
};

/* On the connection's loop. All is borrowed. Returns 0 or -errno. */
int channel_open(struct channel **out, struct mqtt *mqtt, const struct channel_settings *settings,
                 const struct channel_handlers *handlers, void *self);
void channel_close(struct channel *channel); /* forgets what waits; NULL is ignored */

void channel_offer(struct channel *channel,
                   struct notification *notification); /* takes ownership */

/* Starts nothing more; what is in flight may end. */
void channel_stop(struct channel *channel);
/* Something is in flight that will end soon: not what waits for a broker that is away. */
bool channel_busy(const struct channel *channel);

const struct channel_settings *channel_settings(const struct channel *channel);
const struct notification *channel_waiting(const struct channel *channel); /* the list, borrowed */
size_t channel_depth(const struct channel *channel);
enum breaker_state channel_breaker(const struct channel *channel);

#endif
