#include "absence.h"

/* 0 before the first. */
static int64_t last_good_ms(const struct series *series)
{
    int64_t last_ms = 0;
    for (size_t i = 0; i < series->n_fields; i++)
        if (series->fields[i].value.type != VALUE_NONE && series->fields[i].ts_ms > last_ms)
            last_ms = series->fields[i].ts_ms;
    return last_ms;
}

int64_t absence_due_ms(const struct engine *engine, const struct instance *instance)
{
    if (engine->listening_ms == 0)
        return RULE_NEVER;
    int64_t absent_ms = instance->rule->absent_ms;
    int64_t last_ms = last_good_ms(instance->selected);
    if (last_ms == 0)
        return engine->listening_ms + absent_ms;
    int64_t grace_ms = absent_ms < ABSENCE_GRACE_MS ? absent_ms : ABSENCE_GRACE_MS;
    int64_t earliest_ms = engine->listening_ms + grace_ms;
    return last_ms + absent_ms > earliest_ms ? last_ms + absent_ms : earliest_ms;
}

struct rule_condition absence_condition(const struct engine *engine,
                                        const struct instance *instance)
{
    struct rule_condition unknown = {.when = {.type = VALUE_NONE}, .until = {.type = VALUE_NONE}};
    int64_t due_ms = absence_due_ms(engine, instance);
    if (due_ms == RULE_NEVER)
        return unknown;
    int64_t last_ms = last_good_ms(instance->selected);
    bool speaks = last_ms > 0 && engine->time_ms - last_ms < instance->rule->absent_ms;
    if (!speaks && engine->time_ms < due_ms)
        return unknown; /* too early to say, so that an alert from before the restart stays */
    return (struct rule_condition){.when = value_bool(!speaks), .until = value_bool(speaks)};
}

struct value absence_seconds(const struct engine *engine, const struct instance *instance)
{
    int64_t last_ms = last_good_ms(instance->selected);
    return last_ms ? value_number((double)(engine->time_ms - last_ms) / 1000)
                   : (struct value){.type = VALUE_NONE};
}

bool absence_is_awaited(const struct engine *engine, const struct engine_place *place,
                        const char *measurement)
{
    const struct selected *found;
    size_t n = selector_find(engine->selector, place->location, place->device, measurement, &found);
    for (size_t i = 0; i < n; i++)
        if (found[i].rule && found[i].rule->absent_ms > 0)
            return true;
    return false;
}
