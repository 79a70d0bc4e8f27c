/* Spans of local time on some days: "mon" to "fri" from "08:00" to "18:00", in a zone. What becomes
 * of them when clocks are changed, zone.h says. Pure. */
#ifndef HOURS_H
#define HOURS_H

#include "config.h"
#include "zone.h"

#include <stdbool.h>
#include <stddef.h>

#define HOURS_DAY 1440 /* minutes */

struct hours_date {
    int year; /* 0: every year */
    int month, day;
};

struct hours {
    const struct zone *zone;  /* borrowed; NULL: UTC */
    unsigned weekdays;        /* a bit for each, 1u << 0 is Sunday */
    struct hours_date *dates; /* owned; these days too, whatever day of the week */
    size_t n_dates;
    int from_minute, to_minute; /* of the day; where `to` is not after `from`, of the next day */
};

/* Reads "days" (all, unless "dates" are given), "dates", "from" and "to"; the zone is the caller's
 * to set. Returns 0 or -ENOMEM; problems are recorded in the configuration. hours_free() in either
 * case. */
int hours_configure(struct hours *out, struct config_node *node);
void hours_free(struct hours *hours);

bool hours_contain(const struct hours *hours, int64_t time_ms);

/* Minutes, at least 1, in which hours_contain() cannot change but for a clock that is put forward
 * or back. */
int hours_minutes_left(const struct hours *hours, int64_t time_ms);

#endif
