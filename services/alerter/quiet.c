#include "quiet.h"

bool quiet_holds(const struct quiet *quiet, enum alert_severity severity, int64_t time_ms)
{
    return quiet->holds >> severity & 1 && hours_contain(&quiet->hours, time_ms);
}
