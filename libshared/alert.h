/* An alert: contract, section 2.4; proto/alert.schema.json. Pure. */
#ifndef ALERT_H
#define ALERT_H

#include "buffer.h"
#include "reading.h"
#include "value.h"

#include <stdint.h>

enum alert_state { ALERT_FIRING, ALERT_RESOLVED, ALERT_STALE };
enum alert_severity { ALERT_INFO, ALERT_WARNING, ALERT_CRITICAL };

const char *alert_state_name(enum alert_state state);
const char *alert_severity_name(enum alert_severity severity);
int alert_state_parse(enum alert_state *out, const char *name);       /* 0 or -EINVAL */
int alert_severity_parse(enum alert_severity *out, const char *name); /* 0 or -EINVAL */

struct alert {
    enum alert_state state;
    enum alert_severity severity;
    int64_t since_ms;   /* wall clock of the last change of state */
    struct value value; /* VALUE_NONE becomes null */
    const char *message;
    const char *rule;
    uint64_t episode;              /* rises by one each time the rule fires anew for this device */
    const char *cause_measurement; /* NULL where silence was the cause */
    const struct reading *cause;   /* NULL likewise */
};

/* All pointers borrowed. Returns 0 or -ENOMEM. */
int alert_encode(const struct alert *alert, struct buffer *out);

/* Hands the alert over, everything in it borrowed for the call. Returns what `on_alert` returned,
 * or -EBADMSG with a sentence in `error`. */
typedef int alert_fn(void *self, const struct alert *alert);
int alert_decode(const void *payload, size_t size, alert_fn *on_alert, void *self, char *error,
                 size_t error_size);

#endif
