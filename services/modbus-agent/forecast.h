/* What a bus's configuration alone says of its time: how busy it will be, which periods cannot be
 * met, how long a write may wait. Pure.
 *
 * A group can be met where, in each stretch as long as its period, all that is due in it by then
 * and the one longer request that may have begun before it fit: the condition for non-preemptive
 * earliest deadline first (Jeffay, Stanat, Martel, "On Non-Preemptive Scheduling of Periodic and
 * Sporadic Tasks", RTSS 1991, theorem 3.1), taken at the periods themselves. */
#ifndef FORECAST_H
#define FORECAST_H

#include "settings.h"

struct forecast {
    double busy;     /* share of the bus's time; above 1 nothing can be met */
    double cycle_ms; /* every request once */
    double write_ms; /* until a command is written and read back, at worst; 0: no actuators */
    double write_silent_ms; /* the same while a unit is silent: its time-out is to be waited out */
    /* How late the others are asked then, at most, once it is known to be: the longest busy period
     * that begins with its time-out (Spuri, "Analysis of Deadline Scheduled Real-Time Systems",
     * INRIA 2772, 1996, section 3). INFINITY where there is no end to that; 0: there is one unit.
     */
    double late_silent_ms;
};

struct forecast forecast_bus(const struct bus_settings *bus);
double forecast_group_ms(const struct bus_settings *bus, const struct group_settings *group);
bool forecast_meets(const struct bus_settings *bus, const struct group_settings *group);

#endif
