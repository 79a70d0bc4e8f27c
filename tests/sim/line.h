/* A packing line and the plant behind it through shifts of twenty simulated minutes. Pure, and the
 * same for the same seed.
 *
 * Once a shift the line jams for a while, which drags units / runtime below 85 % of the nominal
 * rate; it then catches up past 92 %. Apart from that it stays above 98 %, from the first unit on.
 * The process heats itself and is cooled by pump 0. Pump 1 makes flow and pressure; its regulator
 * sticks now and then and lets the pressure climb past 3 bar: it comes free when the pump has been
 * off and the pressure is down; if nobody sees to that, a mechanical stop holds it at 4.5 bar. */
#ifndef LINE_H
#define LINE_H

#include "noise.h"

#include <stdbool.h>
#include <stdint.h>

#define LINE_STEP_MS 100       /* simulated */
#define LINE_SHIFT_S 1200      /* simulated */
#define LINE_NOMINAL_RATE 1000 /* units/h */

struct line {
    /* What drives it: set at any time. */
    bool pump_0; /* cooling water */
    bool pump_1; /* pressure */
    bool conveyor;
    bool emergency_stop;
    double speed_setpoint; /* units/h */
    /* What is measured of the line. */
    double units;      /* begun in this shift */
    double runtime_s;  /* of the conveyor in this shift, jams included */
    double downtime_s; /* of this shift: jammed while it should have run */
    double speed;      /* units/h */
    double quality;    /* % of the units that are good */
    bool jam;
    /* What is measured of the plant. */
    double temperature; /* of the process, °C */
    double pressure;    /* bar */
    double flow;        /* l/min */
    double energy;      /* kWh since the start */
    /* How it goes on. */
    struct noise noise;
    int64_t steps;
    double jam_from_s; /* runtime at which this shift's jam begins and ends */
    double jam_to_s;
    bool catching_up;
    bool regulator_stuck;
    double regulator_sticks_s; /* simulated time at which it sticks next */
};

void line_init(struct line *line, uint64_t seed);
void line_step(struct line *line); /* LINE_STEP_MS later */

/* As the line's counters show them: a unit counts when it is begun, and time when it is over, so
 * that a short run never looks slower than it is. */
uint32_t line_units_produced(const struct line *line);
uint32_t line_runtime_milli_hours(const struct line *line);

#endif
