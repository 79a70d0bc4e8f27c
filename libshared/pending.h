/* A command that was accepted and has no result yet: its value, its times, and whom to answer.
 * Pure. */
#ifndef PENDING_H
#define PENDING_H

#include "actuator.h"
#include "command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PENDING_TTL_MS 10000 /* where the command does not say */

struct pending {
    struct command command;
    struct value value; /* as the actuator's type wants it; a text points into `command` */
    int64_t arrived_ms; /* monotonic, as all three */
    int64_t started_ms;
    int64_t expires_ms;
    bool forced;          /* a fail-safe, no command: nothing stops it */
    unsigned repeats;     /* commands with the same id that came meanwhile */
    char *response_topic; /* owned; NULL where none */
    void *correlation;    /* owned; NULL where none */
    size_t correlation_size;
};

/* Fills a cleared slot; all is copied. Without memory for response topic or correlation it does
 * without: the command is then answered on its own topic only. */
void pending_fill(struct pending *pending, const struct command *command,
                  const struct actuator_request *request);
void pending_clear(struct pending *pending);

/* The moment, on the monotonic clock, from which the command must not act any more: `ts` + ttl
 * where the sender gave a ts, else arrival + ttl, and never later than the message's own expiry. A
 * sender whose clock is ahead gains nothing: no command lives longer than its ttl from its arrival.
 */
int64_t pending_expiry(const struct command *command, uint32_t expiry_s, int64_t now_ms,
                       int64_t time_ms);

#endif
