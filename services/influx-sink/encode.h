/* From a message to points: contract, section 3. Pure.
 *
 *   telemetry  measurement = the topic's last level; one field per good value; time = ts
 *   result     measurement "command", tag actuator; result, reason, value, previous, wanted, id,
 *              source, message, queued_ms, took_ms; time = ts, of a duplicate when it came
 *   alert      measurement "alert", tag rule; state, severity, value, message, episode; time =
 * since health     measurement "health", device_id = instance, location = "_service"; counters.X,
 * gauges.X…
 *
 * Tags location and device_id always, and what the mapping adds. A type never changes under a
 * field: the value of a command or an alert, which may be of any type, is a number in `value`
 * (booleans as 1 and 0) or a text in `text` (likewise `previous` or `previous_text`, …); and every
 * value is made to fit the type that its field has already: whole numbers and others into each
 * other (rounded where it must be), booleans into numbers. */
#ifndef ENCODE_H
#define ENCODE_H

#include "field_types.h"
#include "lines.h"
#include "mapping.h"
#include "message.h"
#include "topic.h"

#include <stddef.h>
#include <stdint.h>

struct encoder { /* all borrowed */
    const char *root;
    const struct mapping *mapping;
    struct field_types *types;
    int64_t past_ms, future_ms; /* how far a point may be from when its message came; 0: any */
};

/* What did not go smoothly. */
struct encode_notes {
    size_t coerced;     /* booleans that became numbers */
    size_t rounded;     /* numbers that became whole */
    size_t n_faults;    /* points left out whole, and values left out of a point */
    struct topic topic; /* of the message; its name is empty where it is none of the suite's */
    size_t n_readings;  /* of telemetry */
    size_t n_dead;      /* of these, left out whole by a fault */
    const char *reason; /* of the first fault: "out_of_window", "type_conflict" */
    char detail[256];   /* the first fault in a sentence; what is wrong where all is refused */
};

/* Appends the message's points, 0 or more: a reading whose values are all bad has none, nor has an
 * empty payload, by which a retained message is taken away. Returns how many; -ENOENT for a topic
 * that is not stored, -EBADMSG for a payload that cannot be read; -ENOMEM. Nothing is appended
 * where it fails. */
int encode_message(const struct encoder *encoder, const struct message *message,
                   struct lines *lines, struct encode_notes *notes);

#endif
