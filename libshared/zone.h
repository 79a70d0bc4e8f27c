/* Local time, as the C library and its zone files tell it. The zone is one for the whole process.
 */
#ifndef ZONE_H
#define ZONE_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct local_time {
    int year;
    int month;   /* 1 to 12 */
    int day;     /* 1 to 31 */
    int weekday; /* 0 is Sunday */
    int minute;  /* of the day, 0 to 1439 */
};

/* Whether the system knows it: "Europe/Berlin", "UTC". */
bool zone_known(const char *name);

/* From now on local time is of this zone; NULL: of the system's. On the loop's thread, and for the
 * first time before there are others. Returns 0 or -ENOMEM. */
int zone_use(const char *name);

/* The zone in use, for zone_use(). Gives it away; NULL where none was set, or no memory. */
char *zone_current(void);

struct local_time zone_local(int64_t time_ms); /* wall clock */

/* "2026-12-24 18:00" in the zone, or "2026-12-24T18:00Z" in UTC, a 'T' or a space between, seconds
 * allowed, as wall clock. Returns 0 or -EINVAL. */
int zone_parse(const char *text, int64_t *out_ms);

/* Appends "2026-12-24 18:00 CET". */
void zone_text(int64_t time_ms, struct buffer *out);

/* Appends "Thu, 24 Dec 2026 18:00:00 +0100": RFC 5322, section 3.3. */
void zone_mail_date(int64_t time_ms, struct buffer *out);

#endif
