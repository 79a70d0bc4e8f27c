#include "route.h"

#include <fnmatch.h>
#include <string.h>

bool route_pattern_valid(const char *pattern)
{
    return *pattern && pattern[strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789_-*")] == '\0';
}

static bool matches(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, 0) == 0;
}

uint32_t route_channels(const struct route *routes, size_t n_routes, const struct topic *topic,
                        enum alert_severity severity)
{
    uint32_t channels = 0;

    for (size_t i = 0; i < n_routes; i++) {
        const struct route *route = &routes[i];

        if (matches(route->severity, alert_severity_name(severity)) &&
            matches(route->location, topic->location) && matches(route->device, topic->device) &&
            matches(route->rule, topic->name))
            channels |= route->channels;
    }
    return channels;
}
