/* The ledger: what came of each device and measurement, fed by the receiving thread and, when a
 * batch is done with, by the first target's sender (outcome.h); kept in a file over restarts, told
 * in health (gauges readings.*, and "series", proto/health.schema.json). At any moment, while a
 * backlog is overtaken and over kills, received = stored + dead + dropped + waiting.
 *
 * A reading is counted after its message was appended to the spool and before the broker gets its
 * PUBACK, in memory that is a mapped file: a process that is killed has lost nothing of it, and the
 * message that it was counting is counted to its end at the next start, from the spool. Readings
 * count as often as they came: the broker's copy of a retained message, and what it sends again
 * after a kill, as duplicates. A message that is too long for the spool has none: it is a dead
 * letter as a whole, and what it had is missing. After the machine itself went down uncleanly the
 * file is begun anew, and what lies in the spool then is not in it.
 *
 * Format: struct header of tracker.c, then struct account as this machine lays it out; a file of
 * another layout is begun anew. */
#ifndef TRACKER_H
#define TRACKER_H

#include "account.h"
#include "health.h"
#include "mqtt.h"
#include "spool.h"

struct tracker;

struct tracker_options {
    const char *path; /* borrowed for the call, as is the root */
    const char *root;
    struct health *health; /* borrowed until the end */
    /* Before anything is appended; its first reader is used by this thread only as yet. */
    struct spool *spool;
};

/* Where the file cannot be used the ledger is in memory only, and that is logged. Returns 0 or
 * -ENOMEM. */
int tracker_open(struct tracker **out, const struct tracker_options *options);
void tracker_close(struct tracker *tracker); /* NULL is ignored */

/* On the receiving thread, for each message that was appended to the spool: takes note of its
 * readings where it is telemetry. */
void tracker_on_message(struct tracker *tracker, const struct mqtt_message *message);

/* For the sender, until the end. */
struct account *tracker_account(struct tracker *tracker);

#endif
