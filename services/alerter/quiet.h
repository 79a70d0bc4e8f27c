/* Quiet hours: spans of local time on some days, in which alerts of some severities are held.
 * The local time is passed in. Pure. */
#ifndef QUIET_H
#define QUIET_H

#include "alert.h"
#include "zone.h"

#include <stdbool.h>
#include <stddef.h>

#define QUIET_MAX 32   /* kinds of quiet hours in one configuration */
#define QUIET_DAY 1440 /* minutes */

struct quiet_date {
    int year; /* 0: every year */
    int month, day;
};

struct quiet {
    const char *name;         /* borrowed */
    unsigned weekdays;        /* a bit for each, 1u << 0 is Sunday */
    struct quiet_date *dates; /* owned; these days too, whatever day of the week */
    size_t n_dates;
    int from_minute, to_minute; /* of the day; where `to` is not after `from`, of the next day */
    unsigned holds;             /* a bit for each severity */
};

bool quiet_holds(const struct quiet *quiet, enum alert_severity severity,
                 const struct local_time *now);

/* "22:00" up to "24:00" as minutes; "mon" to "sun" as 0 (Sunday) to 6; "2026-12-24" and "12-24" as
 * dates. Return 0 or -EINVAL. */
int quiet_parse_minute(const char *text, int *out);
int quiet_parse_weekday(const char *text, int *out);
int quiet_parse_date(const char *text, struct quiet_date *out);

#endif
