/* What the alerter is to do, read from its configuration. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "config.h"
#include "route.h"

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
    int64_t queue;            /* notifications that may wait; beyond them the oldest is dropped */
    int64_t give_up_after_ms; /* since the notification was made */
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
    int64_t breaker_failures;
    int64_t breaker_open_ms;
};

struct settings {
    struct channel_settings *channels; /* owned; at most ROUTE_CHANNELS_MAX */
    size_t n_channels;
    struct route *routes; /* owned */
    size_t n_routes;
    int64_t remember; /* alerts */
};

/* For struct service_program. */
int settings_configure(void **out, struct config_node *root);
void settings_discard(void *settings);

#endif
