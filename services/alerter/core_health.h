/* What the core counts, for the service's health. */
#ifndef CORE_HEALTH_H
#define CORE_HEALTH_H

#include "core.h"
#include "health.h"

/* `told` is what was told of this core the last time, and starts as `= {0}` with each core. */
void core_health_sample(const struct core *core, int64_t time_ms, struct core_stats *told,
                        struct health *health);

#endif
