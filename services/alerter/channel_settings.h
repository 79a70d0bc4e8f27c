/* One way out, as the configuration describes it. */
#ifndef CHANNEL_SETTINGS_H
#define CHANNEL_SETTINGS_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_type { CHANNEL_LOG, CHANNEL_WEBHOOK };

struct webhook_settings {
    const char *url;     /* borrowed */
    char **headers;      /* "Name: value", owned, NULL at the end; one may be a secret */
    const char *ca_file; /* borrowed; NULL: the system's */
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
};

struct channel_settings {
    const char *name; /* borrowed */
    enum channel_type type;
    struct webhook_settings webhook;
    int64_t max_per_hour; /* notifications; 0: no limit */
    bool critical_passes; /* the limit holds back only what is not critical */
    int fallback;  /* place of the channel that gets what this one could not deliver, or -1 */
    int64_t queue; /* notifications that may wait; beyond them the oldest is dropped */
    int64_t give_up_after_ms; /* since the notification was made */
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
    int64_t breaker_failures;
    int64_t breaker_open_ms;
};

/* Reads "channels" of the root. Problems are the configuration's. Returns 0 or -ENOMEM. */
int channel_settings_configure(struct channel_settings **out, size_t *n, struct config_node *root);
void channel_settings_free(struct channel_settings *channels, size_t n); /* takes NULL */

/* The place of the channel, or -1. */
int channel_settings_find(const struct channel_settings *channels, size_t n, const char *name);

#endif
