/* What people read of a notification where nothing else is configured. Pure. */
#ifndef NOTIFICATION_TEXT_H
#define NOTIFICATION_TEXT_H

#include "notification.h"

/* One line: "firing: critical facility_a/line_001 over_pressure: pressure 7.0 bar", or
 * "facility_a: 50 firing, 2 resolved". Stale and resolved read differently, so that nobody takes
 * missing data for an all-clear. */
void notification_heading(const struct notification *notification, struct buffer *out);

/* The heading and, where it is about several, a line for each that is shown. */
void notification_text(const struct notification *notification, struct buffer *out);

void item_text(const struct item *item, struct buffer *out); /* one line, without its end */

#endif
