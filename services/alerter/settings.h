/* What the alerter is to do, read from its configuration. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "channel_settings.h"
#include "config.h"
#include "flap.h"
#include "inhibit.h"
#include "quiet.h"
#include "route.h"
#include "silence.h"

#include <stddef.h>
#include <stdint.h>

struct settings {
    const char *root;    /* of topics; borrowed */
    struct zone **zones; /* owned; the first is the one where none is said */
    size_t n_zones;
    struct channel_settings *channels; /* owned; at most ROUTE_CHANNELS_MAX */
    size_t n_channels;
    struct route *route;          /* owned; the root */
    struct inhibit_rule *inhibit; /* owned */
    size_t n_inhibit;
    struct quiet *quiets; /* owned; at most QUIET_MAX */
    size_t n_quiets;
    struct silence *silences; /* owned; patterns borrowed */
    size_t n_silences;
    struct flap_settings flap;
    int64_t remember;   /* alerts */
    int64_t confirm_ms; /* after a connect, until what the broker does not show is lost; 0: never */
};

/* For struct service_program. */
int settings_configure(void **out, struct config_node *root);
void settings_discard(void *settings);

#endif
