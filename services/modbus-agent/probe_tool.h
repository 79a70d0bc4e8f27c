/* --probe: takes its words apart, looks, and reports. */
#ifndef PROBE_TOOL_H
#define PROBE_TOOL_H

#include "service.h"
#include "settings.h"

#include <stdio.h>

/* The words of the command line; NULL where one was not given. */
struct probe_words {
    const char *url;
    const char *units;     /* "1-10,17" */
    const char *addresses; /* "0-99" */
    const char *expect;    /* see expect.h */
    const char *timeout;
    const char *limit;
    bool all;
};

/* A bus of the settings (NULL: there are none) that has the URL says how it is reached. Prints to
 * `out`, what goes on to standard error. Returns an exit code: SERVICE_UNAVAILABLE where no unit
 * answers or no unit has an expected value. */
int probe_tool(const struct settings *settings, const struct probe_words *words, FILE *out);

#endif
