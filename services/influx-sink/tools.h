/* The program's own words: --spool-info, --dead-letters…. */
#ifndef TOOLS_H
#define TOOLS_H

#include "service.h"

extern const struct service_option tools_options[];

int tools_run(const void *settings, const struct service_arguments *arguments); /* exit code */

#endif
