/* Statistics over MQTT (contract, section 2.5): questions come in by the intake, a thread of its
 * own asks the store, and the loop publishes the answer to the question's Response Topic and
 * nowhere else. A question without one, with one that is the suite's own, or retained is counted
 * and not answered.
 *
 * They come by the intake because MQTTClient leaks a kilobyte for each message with properties once
 * MQTTAsync is in the same program (see CMakeLists.txt). */
#ifndef STATS_H
#define STATS_H

#include "health.h"
#include "loop.h"
#include "mqtt.h"
#include "stats_settings.h"

struct stats;

struct stats_options { /* all borrowed until the end */
    const struct stats_settings *settings;
    struct loop *loop;
    struct mqtt *mqtt;     /* answers go out there */
    struct health *health; /* gets "queries.received", "queries.ok", "queries.busy"… */
};

int stats_open(struct stats **out, const struct stats_options *options); /* 0 or -errno */
void stats_close(struct stats *stats); /* ends the request in flight; NULL is ignored */

/* On any one thread; does not wait. False where the message is no question. */
bool stats_on_message(struct stats *stats, const struct mqtt_message *message);

#endif
