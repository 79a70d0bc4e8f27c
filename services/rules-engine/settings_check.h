/* What only shows when all rules and derived values are seen together: loops and double names. */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H

#include "settings.h"

/* Records a problem for each derived value that feeds itself, also by way of others, and for each
 * two that give the same thing to one device. Patterns that might overlap count as overlapping.
 * Returns 0 or -ENOMEM. */
int settings_check(const struct settings *settings);

#endif
