#include "pace.h"

#define PACE_CATCH_UP_MS 60000

unsigned pace_due(struct pace *pace, int64_t now_ms)
{
    double most_ms = PACE_CATCH_UP_MS * (pace->speed > 1 ? pace->speed : 1);
    unsigned steps;

    pace->owed_ms += (double)(now_ms - pace->last_ms) * pace->speed;
    pace->last_ms = now_ms;
    if (pace->owed_ms > most_ms)
        pace->owed_ms = most_ms;
    steps = (unsigned)(pace->owed_ms / (double)pace->step_ms);
    pace->owed_ms -= (double)steps * (double)pace->step_ms;
    return steps;
}
