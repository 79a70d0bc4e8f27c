/* Which alerts are meant: a pattern each for severity, location, device and rule. Pure. */
#ifndef MATCH_H
#define MATCH_H

#include "alert.h"
#include "topic.h"

#include <stdbool.h>

/* As wildcard.h has them, borrowed; NULL takes everything. */
struct match {
    const char *severity;
    const char *location;
    const char *device;
    const char *rule;
};

/* `topic` names location, device and rule. */
bool match_takes(const struct match *match, const struct topic *topic,
                 enum alert_severity severity);

/* The field that keeps the alert out, "severity", "location", "device" or "rule"; NULL where the
 * match takes it. */
const char *match_refuses(const struct match *match, const struct topic *topic,
                          enum alert_severity severity);

#endif
