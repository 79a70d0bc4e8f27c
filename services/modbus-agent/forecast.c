#include "forecast.h"

#include "cost.h"

#include <math.h>

#define DRAIN_MS 20      /* until a line is quiet again after what was no answer: bus.c */
#define ENDLESS_MS 600e3 /* of a bus that is never done */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

double forecast_group_ms(const struct bus_settings *bus, const struct group_settings *group)
{
    double us = 0;

    for (size_t i = 0; i < group->plan.n_requests; i++)
        us += cost_read_us(&bus->endpoint, &group->plan.requests[i].span);
    return us / 1000;
}

/* The longest request of groups whose period is longer than this. */
static double longest_ms(const struct bus_settings *bus, int64_t period_ms)
{
    double us = 0;

    for (size_t i = 0; i < bus->n_units; i++)
        for (size_t j = 0; j < bus->units[i]->n_groups; j++) {
            const struct group_settings *group = &bus->units[i]->groups[j];

            for (size_t k = 0; group->period_ms > period_ms && k < group->plan.n_requests; k++)
                us = larger(us, cost_read_us(&bus->endpoint, &group->plan.requests[k].span));
        }
    return us / 1000;
}

/* How long a device's watchdog keeps the bus busy within a stretch. */
static double feeding_ms(const struct bus_settings *bus, const struct unit_settings *unit,
                         double stretch_ms)
{
    int64_t period_ms = unit->feed.watchdog.period_ms;

    if (period_ms == 0)
        return 0;
    return stretch_ms / (double)period_ms * cost_write_us(&bus->endpoint, &unit->feed.span) / 1000;
}

bool forecast_meets(const struct bus_settings *bus, const struct group_settings *group)
{
    int64_t stretch_ms = group->period_ms;
    double needed_ms = longest_ms(bus, stretch_ms);

    for (size_t i = 0; i < bus->n_units; i++) {
        needed_ms += feeding_ms(bus, bus->units[i], (double)stretch_ms);
        for (size_t j = 0; j < bus->units[i]->n_groups; j++) {
            const struct group_settings *other = &bus->units[i]->groups[j];

            needed_ms += (double)(stretch_ms / other->period_ms) * forecast_group_ms(bus, other);
        }
    }
    return needed_ms <= (double)stretch_ms;
}

/* What is due while the bus is busy for `begun_ms` and with all that becomes due meanwhile;
 * INFINITY where that has no end. */
static double busy_period_ms(const struct bus_settings *bus, double begun_ms)
{
    double busy_ms = begun_ms;

    while (busy_ms < ENDLESS_MS) {
        double needed_ms = begun_ms;

        for (size_t i = 0; i < bus->n_units; i++)
            for (size_t j = 0; j < bus->units[i]->n_groups; j++) {
                const struct group_settings *group = &bus->units[i]->groups[j];

                needed_ms +=
                    ceil(busy_ms / (double)group->period_ms) * forecast_group_ms(bus, group);
            }
        if (needed_ms <= busy_ms)
            return busy_ms;
        busy_ms = needed_ms;
    }
    return INFINITY;
}

static bool has_others(const struct bus_settings *bus)
{
    for (size_t i = 0; i < bus->n_units; i++)
        if (bus->units[i]->breaker_of != 0)
            return true;
    return false;
}

struct forecast forecast_bus(const struct bus_settings *bus)
{
    struct forecast forecast = {0};
    double write_us = 0;

    for (size_t i = 0; i < bus->n_units; i++) {
        const struct unit_settings *unit = bus->units[i];

        forecast.busy += feeding_ms(bus, unit, 1);
        for (size_t j = 0; j < unit->n_groups; j++) {
            double ms = forecast_group_ms(bus, &unit->groups[j]);

            forecast.cycle_ms += ms;
            forecast.busy += ms / (double)unit->groups[j].period_ms;
        }
        for (size_t j = 0; j < unit->n_actuators; j++)
            write_us = larger(write_us, cost_write_us(&bus->endpoint, &unit->outputs[j].span) +
                                            cost_read_us(&bus->endpoint, &unit->outputs[j].span));
    }
    if (write_us > 0) {
        forecast.write_ms = longest_ms(bus, 0) + write_us / 1000;
        forecast.write_silent_ms = (double)bus->timeout_ms + write_us / 1000;
    }
    if (has_others(bus))
        forecast.late_silent_ms = busy_period_ms(bus, (double)bus->timeout_ms + DRAIN_MS);
    return forecast;
}
