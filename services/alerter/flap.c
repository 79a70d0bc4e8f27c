#include "flap.h"

#include <string.h>

bool flap_change(struct flap *flap, const struct flap_settings *settings, int64_t time_ms)
{
    size_t changes = (size_t)settings->changes;

    if (changes == 0)
        return false;
    if (flap->n >= changes) {
        size_t surplus = flap->n - changes + 1;

        flap->n -= surplus;
        memmove(flap->at_ms, flap->at_ms + surplus, flap->n * sizeof flap->at_ms[0]);
    }
    flap->at_ms[flap->n++] = time_ms;
    if (flap->on || flap->n < changes || time_ms - flap->at_ms[0] > settings->window_ms)
        return false;
    flap->on = true;
    return true;
}

int64_t flap_end_ms(const struct flap *flap, const struct flap_settings *settings)
{
    return flap->on ? flap->at_ms[flap->n - 1] + settings->calm_ms : INT64_MAX;
}

bool flap_settle(struct flap *flap, const struct flap_settings *settings, int64_t time_ms)
{
    if (!flap->on || time_ms < flap_end_ms(flap, settings))
        return false;
    *flap = (struct flap){0};
    return true;
}
