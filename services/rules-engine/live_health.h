/* What the engine counts, brought to the service's health. */
#ifndef LIVE_HEALTH_H
#define LIVE_HEALTH_H

#include "announce.h"
#include "engine.h"
#include "health.h"

enum live_count {
    LIVE_BAD_PAYLOAD,
    LIVE_NOT_PUBLISHED,
    LIVE_MEMORY_LOST,
    LIVE_MEMORY_DAMAGED,
    LIVE_RESULT_OK,
    LIVE_RESULT_FAILED,
    LIVE_N_COUNTS
};

struct live_health;

/* All borrowed until live_health_close(). Returns 0 or -ENOMEM. */
int live_health_open(struct live_health **out, struct health *health, const struct engine *engine,
                     const struct announcer *announcer);
void live_health_close(struct live_health *self);

void live_health_raise(struct live_health *self, enum live_count count);

#endif
