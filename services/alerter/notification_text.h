/* What people read of a notification where nothing else is configured. Pure. */
#ifndef NOTIFICATION_TEXT_H
#define NOTIFICATION_TEXT_H

#include "notification.h"

/* One line: "firing: critical facility_a/line_001 over_pressure: pressure 7.0 bar", or
 * "facility_a: 50 firing, 2 resolved". Stale and resolved read differently, so that nobody takes
 * missing data for an all-clear. */
void notification_heading(const struct notification *notification, struct buffer *out);

/* The heading, how to acknowledge where somebody is to look, and where it is about several, a line
 * for each that is shown; with the local times since when they are so. */
void notification_text(const struct notification *notification, struct buffer *out);

/* The topic to acknowledge by, "iot/hall/line_1/ack/over_pressure", with LOCATION, DEVICE and RULE
 * for what the alerts do not have in common; nothing where nobody is to look. */
void notification_ack(const struct notification *notification, struct buffer *out);

void item_text(const struct item *item, struct buffer *out); /* one line, without its end */
void item_ack(const struct item *item, const char *root, struct buffer *out);

#endif
