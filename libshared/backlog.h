/* Readings made while the broker is away: in memory first, all on disk (spool.h) beyond a bound and
 * when the process ends, and sent in their order, with their own times, when it is back; from disk
 * as arrays, to catch up fast. For agents; on the loop.
 *
 * A process that is killed loses what was in memory only: `memory_bytes` while the broker is away,
 * and of what was published the few that it had not acknowledged. With `memory_bytes` 0 each
 * reading is on disk before it is published and stays there until the broker has it: then only what
 * did not get as far as backlog_publish() is lost. */
#ifndef BACKLOG_H
#define BACKLOG_H

#include "config.h"
#include "service.h"

#include <stddef.h>

struct backlog_settings {
    int64_t memory_bytes; /* what waits in memory before the disk is used; 0: all goes over it */
    int64_t disk_bytes;   /* beyond it the oldest readings go, counted; 0: no disk */
};

/* Reads "backlog": {"memory", "disk"} of the root. */
void backlog_configure(struct backlog_settings *out, struct config_node *root);

struct backlog;

/* On disk it is state_dir/backlog; without a state_dir what waits is the connection's outbox alone.
 * What an earlier process left on disk is sent too. A disk that cannot be used is logged, and
 * memory alone serves. The service is borrowed, the settings are copied. Returns 0 or -ENOMEM. */
int backlog_open(struct backlog **out, struct service *service,
                 const struct backlog_settings *settings);
void backlog_close(struct backlog *backlog); /* what is in memory goes to disk */

/* On a reload: its limits are those of the start; that others would need a restart is logged. */
void backlog_reload(const struct backlog *backlog, const struct backlog_settings *fresh);

/* Publishes an encoded reading, retained at QoS 1, now or later. Returns 0 or -errno where it is
 * lost, counted. */
int backlog_publish(struct backlog *backlog, const char *topic, const char *payload, size_t size);

#endif
