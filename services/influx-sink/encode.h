/* From a message to points: contract, section 3. Pure.
 *
 *   telemetry  measurement = the topic's last level; one field per good value; time = ts
 *   result     measurement "command", tag actuator; result, reason, value, id, source, …
 *   alert      measurement "alert", tag rule; state, severity, value, message, episode; time =
 * since health     measurement "health", device_id = instance, location = "_service"; counters.X,
 * gauges.X…
 *
 * Tags location and device_id always. A type never changes under a field: the value of a command or
 * an alert, which may be of any type, is a number in `value` (booleans as 1 and 0) or a text in
 * `text`. */
#ifndef ENCODE_H
#define ENCODE_H

#include "lines.h"

#include <stddef.h>

/* Appends the message's points, 0 or more: a reading whose values are all bad has none, nor has an
 * empty payload, by which a retained message is taken away. Returns how many; -ENOENT for a topic
 * that is not stored, -EBADMSG for a payload that cannot be read, with a sentence in `error`;
 * -ENOMEM. Nothing is appended where it fails. */
int encode_message(struct lines *lines, const char *root, const char *topic, const void *payload,
                   size_t size, char *error, size_t error_size);

#endif
