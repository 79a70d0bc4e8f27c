#include "meta.h"

#include <errno.h>
#include <math.h>

static void limits(struct jsonw *w, const char *unit, double min, double max)
{
    if (unit)
        jsonw_text(w, "unit", unit);
    if (isfinite(min))
        jsonw_number(w, "min", min);
    if (isfinite(max))
        jsonw_number(w, "max", max);
}

struct jsonw meta_begin(struct buffer *out, const char *agent, const char *version, int64_t time_ms)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "ts", time_ms);
    jsonw_text(&w, "agent", agent);
    jsonw_text(&w, "version", version);
    jsonw_array_begin(&w, "points");
    return w;
}

void meta_point(struct jsonw *w, const struct point *point, const char *measurement,
                int64_t period_ms)
{
    static const char *const types[] = {"number", "bool", "text"};

    jsonw_object_begin(w, NULL);
    jsonw_text(w, "name", point->name);
    jsonw_text(w, "measurement", measurement);
    jsonw_text(w, "type", types[point->type]);
    limits(w, point->unit, point->min, point->max);
    if (period_ms > 0)
        jsonw_integer(w, "period_ms", period_ms);
    jsonw_object_end(w);
}

void meta_actuators(struct jsonw *w, const struct actuator_settings *actuators, size_t n_actuators)
{
    static const char *const types[] = {"bool", "number", "text"};

    jsonw_array_end(w);
    jsonw_array_begin(w, "actuators");
    for (size_t i = 0; i < n_actuators; i++) {
        const struct actuator_settings *actuator = &actuators[i];

        jsonw_object_begin(w, NULL);
        jsonw_text(w, "name", actuator->name);
        jsonw_text(w, "type", types[actuator->type]);
        limits(w, actuator->unit, actuator->min, actuator->max);
        if (actuator->safe.type != VALUE_NONE)
            jsonw_value(w, "safe", &actuator->safe);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

int meta_close(struct jsonw *w)
{
    jsonw_object_end(w);
    return w->out->failed ? -ENOMEM : 0;
}

int meta_end(struct jsonw *w, const struct actuator_settings *actuators, size_t n_actuators)
{
    meta_actuators(w, actuators, n_actuators);
    return meta_close(w);
}
