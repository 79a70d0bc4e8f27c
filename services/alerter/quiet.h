/* Quiet hours: spans of local time on some days, in which alerts of some severities are held.
 * Pure. */
#ifndef QUIET_H
#define QUIET_H

#include "alert.h"
#include "hours.h"

#include <stdbool.h>
#include <stddef.h>

#define QUIET_MAX 32 /* kinds of quiet hours in one configuration */

struct quiet {
    const char *name;   /* borrowed */
    struct hours hours; /* owned */
    unsigned holds;     /* a bit for each severity */
};

bool quiet_holds(const struct quiet *quiet, enum alert_severity severity, int64_t time_ms);

#endif
