/* The ledger: what came of each device and measurement, fed by the receiving thread and, when a
 * batch is done with, by the first target's sender (outcome.h); kept in a file over restarts, told
 * in health (gauges readings.*, and "series", proto/health.schema.json).
 *
 * A reading is counted after its message was appended to the spool and before the broker gets its
 * PUBACK, in memory that is a mapped file: a process that is killed has lost nothing of it, and the
 * message that it was counting is either not acknowledged, and comes again as the duplicate that it
 * then is in the spool, or counted. What remains: the message of that very instant may be stored
 * and not counted as received; one of QoS 0 then seems missing. So received - stored - dead is what
 * waits in the spool, less one for each such kill, and less the broker's copies of retained
 * messages that came before. After the machine itself went down uncleanly the file is begun anew.
 *
 * Format: struct header of tracker.c, then struct account as this machine lays it out; a file of
 * another layout is begun anew. */
#ifndef TRACKER_H
#define TRACKER_H

#include "account.h"
#include "health.h"
#include "mqtt.h"

struct tracker;

struct tracker_options {
    const char *path; /* borrowed for the call, as is the root */
    const char *root;
    struct health *health; /* borrowed until the end */
    uint64_t spool_next;   /* spool_stats.next before anything is appended */
};

/* Where the file cannot be used the ledger is in memory only, and that is logged. Returns 0 or
 * -ENOMEM. */
int tracker_open(struct tracker **out, const struct tracker_options *options);
void tracker_close(struct tracker *tracker); /* NULL is ignored */

/* On the receiving thread: takes note of a telemetry message, ignores others. */
void tracker_on_message(struct tracker *tracker, const struct mqtt_message *message);

/* For the sender, until the end. */
struct account *tracker_account(struct tracker *tracker);

#endif
