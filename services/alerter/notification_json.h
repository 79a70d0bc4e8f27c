/* Notifications as JSON: for receivers, for the broker, and for the state file. Pure. */
#ifndef NOTIFICATION_JSON_H
#define NOTIFICATION_JSON_H

#include "jsonr.h"
#include "jsonw.h"
#include "notification.h"

/* The body of a webhook. Returns 0 or -ENOMEM. */
int notification_body(const struct notification *notification, struct buffer *out);

/* The payload of root/_notification/{channel}; proto/notification.schema.json. Returns 0 or
 * -ENOMEM. */
int notification_outcome(const struct notification *notification, bool delivered, int64_t time_ms,
                         struct buffer *out);

/* All of it, for the state file, and back. notification_read() returns 0, -ENOMEM or -EBADMSG with
 * a sentence in in->error. */
void notification_write(const struct notification *notification, struct jsonw *w, const char *key);
int notification_read(struct notification **out, const struct jsonr *in);

#endif
