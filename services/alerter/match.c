#include "match.h"

#include "wildcard.h"

#include <stddef.h>

static bool takes(const char *pattern, const char *name)
{
    return !pattern || wildcard_matches(pattern, name);
}

const char *match_refuses(const struct match *match, const struct topic *topic,
                          enum alert_severity severity)
{
    if (!takes(match->severity, alert_severity_name(severity)))
        return "severity";
    if (!takes(match->location, topic->location))
        return "location";
    if (!takes(match->device, topic->device))
        return "device";
    return takes(match->rule, topic->name) ? NULL : "rule";
}

bool match_takes(const struct match *match, const struct topic *topic, enum alert_severity severity)
{
    return !match_refuses(match, topic, severity);
}
