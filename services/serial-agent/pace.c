#include "pace.h"

int64_t pace_ready_ms(const struct pace *pace)
{
    return pace->expect_ms - (pace->burst - 1) * pace->interval_ms;
}

bool pace_allow(struct pace *pace, int64_t now_ms)
{
    if (now_ms < pace_ready_ms(pace))
        return false;
    if (pace->expect_ms < now_ms)
        pace->expect_ms = now_ms;
    pace->expect_ms += pace->interval_ms;
    return true;
}
