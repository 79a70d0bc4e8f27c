/* Where an alert goes: every route that matches adds its channels. Pure. */
#ifndef ROUTE_H
#define ROUTE_H

#include "alert.h"
#include "topic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTE_CHANNELS_MAX 32

/* Patterns in which '*' stands for any run of characters; borrowed. */
struct route {
    const char *severity;
    const char *location;
    const char *device;
    const char *rule;
    uint32_t channels; /* a bit for each, by its place in the settings */
};

/* The channels of all routes that match; 0 where none does. `topic` names location, device and
 * rule. */
uint32_t route_channels(const struct route *routes, size_t n_routes, const struct topic *topic,
                        enum alert_severity severity);

bool route_pattern_valid(const char *pattern); /* of a name's characters and '*' */

#endif
