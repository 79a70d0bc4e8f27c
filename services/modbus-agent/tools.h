/* The program's own words: --once, --plan and --probe. */
#ifndef TOOLS_H
#define TOOLS_H

#include "service.h"
#include "settings.h"

#include <stdio.h>

int tools_run(const void *settings, const struct service_arguments *arguments);

/* Prints what will be asked and how busy each bus will be. Returns an exit code: SERVICE_CONFIG
 * where a bus cannot keep its periods. */
int tools_plan(const struct settings *settings, FILE *out);

/* Reads every point once. Returns an exit code: SERVICE_UNAVAILABLE where a point could not be had.
 */
int tools_once(const struct settings *settings, FILE *out);

#endif
