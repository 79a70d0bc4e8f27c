/* "enable": in which hours of which days a rule may be active. */
#ifndef ENABLE_H
#define ENABLE_H

#include "settings.h"

bool enable_is_on(const struct rule *rule, int64_t time_ms); /* also without "enable" */

/* When to look again: the next change, or before, since a clock may be put forward or back. */
int64_t enable_change_ms(const struct rule *rule, int64_t time_ms);

#endif
