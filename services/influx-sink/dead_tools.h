/* --dead-letters list | replay | fix. */
#ifndef DEAD_TOOLS_H
#define DEAD_TOOLS_H

#include "service.h"
#include "settings.h"

/* Sends each letter's points to the store; what that refuses stays, with the new reason. Points
 * have their own series and time, so that sending some of them twice, after a crash, changes
 * nothing. Prints what came of it; returns the exit code. */
int dead_tools_run(const struct settings *settings, const struct service_arguments *arguments);

#endif
