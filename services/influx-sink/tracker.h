/* The ledger: what came of each device and measurement, fed by the receiving thread, kept in a file
 * over restarts, told in health (gauges readings.*, and "series", proto/health.schema.json).
 *
 * A reading is counted after its message was appended to the spool and before the broker gets its
 * PUBACK, in memory that is a mapped file: a process that is killed has lost nothing of it, and the
 * message that it was counting is either not acknowledged, and comes again as the duplicate that it
 * then is in the spool, or counted. What remains: a QoS 0 message of that very instant may be
 * stored and not counted, and seems missing. After the machine itself went down uncleanly the file
 * is begun anew.
 *
 * Format: struct header of tracker.c, then struct account as this machine lays it out; a file of
 * another layout is begun anew. */
#ifndef TRACKER_H
#define TRACKER_H

#include "health.h"
#include "mqtt.h"

struct tracker;

/* `path` is copied; the rest is borrowed until the end. Where the file cannot be used the ledger is
 * in memory only, and that is logged. Returns 0 or -ENOMEM. */
int tracker_open(struct tracker **out, const char *path, const char *root, struct health *health);
void tracker_close(struct tracker *tracker); /* NULL is ignored */

/* On the receiving thread: takes note of a telemetry message, ignores others. */
void tracker_on_message(struct tracker *tracker, const struct mqtt_message *message);

#endif
