/* What a channel says in words. Pure. */
#ifndef CHANNEL_TEXT_H
#define CHANNEL_TEXT_H

#include "channel_settings.h"
#include "notification.h"

/* The channel's own text where it has one, else notification_text(), escaped for where it goes and
 * cut to about `max` bytes, on a whole character and a whole escape, with the cut said. */
void channel_text(const struct channel_settings *settings, const struct notification *notification,
                  enum escape how, size_t max, struct buffer *out);

/* The body of a post to Slack, Mattermost, Teams, Telegram, ntfy or Gotify, or of a webhook.
 * Returns 0 or -ENOMEM. */
int channel_body(const struct channel_settings *settings, const struct notification *notification,
                 struct buffer *out);

#endif
