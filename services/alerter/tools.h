/* --test, --replay and --route. */
#ifndef TOOLS_H
#define TOOLS_H

#include "service.h"

/* service_program's tool. */
int tools_run(const void *settings, const struct service_arguments *arguments);

#endif
