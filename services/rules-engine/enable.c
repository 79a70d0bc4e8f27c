#include "enable.h"

#define MINUTE_MS 60000
#define LOOK_MINUTES 15 /* clocks are put forward and back at full quarters of an hour */

bool enable_is_on(const struct rule *rule, int64_t time_ms)
{
    return !rule->has_hours || hours_contain(&rule->hours, time_ms);
}

int64_t enable_change_ms(const struct rule *rule, int64_t time_ms)
{
    int64_t minute = time_ms / MINUTE_MS;
    int64_t left = hours_minutes_left(&rule->hours, time_ms);
    int64_t quarter = LOOK_MINUTES - minute % LOOK_MINUTES;
    return (minute + (left < quarter ? left : quarter)) * MINUTE_MS;
}
