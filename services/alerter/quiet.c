#include "quiet.h"

bool quiet_holds(const struct quiet *quiet, enum alert_severity severity,
                 const struct local_time *now)
{
    return quiet->holds >> severity & 1 && hours_contain(&quiet->hours, now);
}
