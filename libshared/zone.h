/* Local time in any zone that the system knows. Where a zone is asked for, NULL is UTC.
 *
 * When clocks are put forward, the local times in between do not come: a span that begins in them
 * begins right after, and a moment in them is as long after the change as it is into the gap (02:30
 * is 03:30). When they are put back, an hour comes twice: a moment in it is the first, a span over
 * it lasts an hour longer. */
#ifndef ZONE_H
#define ZONE_H

#include "buffer.h"
#include "config.h"

#include <stdbool.h>
#include <stdint.h>

#define ZONE_NAME_MAX 64 /* characters */

struct zone;

struct local_time {
    int year;
    int month;   /* 1 to 12 */
    int day;     /* 1 to 31 */
    int weekday; /* 0 is Sunday */
    int minute;  /* of the day, 0 to 1439 */
};

/* Reads the zone's file: "Europe/Berlin"; "UTC" needs none. Returns 0; -ENOENT where the system has
 * no such zone; -EBADMSG where its file is none; -ENOMEM. */
int zone_open(struct zone **out, const char *name);
void zone_close(struct zone *zone); /* NULL is ignored */
const char *zone_name(const struct zone *zone);

/* Opens what "time_zone" names, or `fallback`. What the system does not know is recorded as a
 * problem of the configuration, with the name that may have been meant; then it is UTC, NULL.
 * Returns 0 or -ENOMEM. */
int zone_configure(struct zone **out, struct config_node *node, const char *fallback);

struct local_time zone_at(const struct zone *zone, int64_t time_ms); /* wall clock */

/* "2026-12-24 18:00" in the zone, or "2026-12-24T18:00Z" in UTC, a 'T' or a space between, seconds
 * allowed, as wall clock. Returns 0 or -EINVAL. */
int zone_parse(const struct zone *zone, const char *text, int64_t *out_ms);

/* Appends "2026-12-24 18:00 CET". */
void zone_text(const struct zone *zone, int64_t time_ms, struct buffer *out);

/* Appends "Thu, 24 Dec 2026 18:00:00 +0100": RFC 5322, section 3.3. */
void zone_mail_date(const struct zone *zone, int64_t time_ms, struct buffer *out);

#endif
