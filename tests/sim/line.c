#include "line.h"

#include <math.h>

#define STEP_S (LINE_STEP_MS / 1000.0)
#define STEPS_PER_SHIFT (LINE_SHIFT_S * 1000 / LINE_STEP_MS)

#define USUAL_SPEED 1.02    /* share of the set point */
#define CATCH_UP_SPEED 1.25 /* likewise, after a jam */
#define JAM_LENGTH 0.28 /* share of the runtime before it: the rate falls to 1.02 / 1.28 = 80 % */

/* bar and bar/s */
#define PRESSURE_REGULATED 5.0
#define PRESSURE_FREES 5.6
#define PRESSURE_STOP 9.0
#define STUCK_RATE 0.08
#define RELIEF_RATE 0.25
#define LEAK_RATE 0.05

static void line_plan_shift(struct line *line)
{
    line->units = 0;
    line->runtime_s = 0;
    line->catching_up = false;
    line->jam_from_s = noise_between(&line->noise, 180, 300);
    line->jam_to_s = line->jam_from_s * (1 + JAM_LENGTH);
}

static double line_time_s(const struct line *line)
{
    return (double)line->steps * STEP_S;
}

void line_init(struct line *line, uint64_t seed)
{
    *line = (struct line){
        .conveyor = true,
        .pump = true,
        .speed_setpoint = LINE_NOMINAL_RATE,
        .temperature = 42,
        .pressure = PRESSURE_REGULATED,
        .noise = {.state = seed},
    };
    line->regulator_sticks_s = noise_between(&line->noise, 40, 80);
    line_step(line);
}

static void step_production(struct line *line)
{
    bool running = line->conveyor && !line->emergency_stop;
    bool was_jammed = line->jam;

    line->jam = line->runtime_s >= line->jam_from_s && line->runtime_s < line->jam_to_s;
    if (was_jammed && !line->jam)
        line->catching_up = true;
    if (line->units >= line->runtime_s * line->speed_setpoint / 3600)
        line->catching_up = false;
    line->speed = 0;
    if (!running)
        return;
    if (!line->jam)
        line->speed = line->speed_setpoint * (line->catching_up ? CATCH_UP_SPEED : USUAL_SPEED) *
                      noise_between(&line->noise, 0.995, 1.005);
    line->units += line->speed / 3600 * STEP_S;
    line->runtime_s += STEP_S;
}

/* The motor draws more with speed and most when it pushes against a jam; its heat follows. */
static void step_motor(struct line *line)
{
    bool running = line->conveyor && !line->emergency_stop;
    double current = 0.3;

    if (running)
        current = line->jam ? 14 : 3 + 5 * line->speed / LINE_NOMINAL_RATE;
    line->motor_current += (current - line->motor_current) * STEP_S / 2;
    line->temperature += (24 + 2.2 * line->motor_current - line->temperature) * STEP_S / 90 +
                         noise_between(&line->noise, -0.01, 0.01);
    line->energy += line->motor_current * 0.4 / 3600 * STEP_S; /* at 400 V, in kWh */
}

static void step_pressure(struct line *line)
{
    double rate = -LEAK_RATE;

    if (!line->regulator_stuck && line_time_s(line) >= line->regulator_sticks_s && line->pump)
        line->regulator_stuck = true;
    if (line->pump)
        rate = line->regulator_stuck ? STUCK_RATE : (PRESSURE_REGULATED - line->pressure) / 5;
    if (line->relief_valve)
        rate = -RELIEF_RATE;
    rate += noise_between(&line->noise, -0.05, 0.05);
    line->pressure = fmin(fmax(line->pressure + rate * STEP_S, 0), PRESSURE_STOP);
    if (line->regulator_stuck && rate < 0 && line->pressure < PRESSURE_FREES &&
        (line->relief_valve || !line->pump)) {
        line->regulator_stuck = false;
        line->regulator_sticks_s = line_time_s(line) + noise_between(&line->noise, 90, 240);
    }
}

void line_step(struct line *line)
{
    if (line->steps % STEPS_PER_SHIFT == 0)
        line_plan_shift(line);
    step_production(line);
    step_motor(line);
    step_pressure(line);
    line->steps++;
}

uint32_t line_units_produced(const struct line *line)
{
    return (uint32_t)ceil(line->units);
}

uint32_t line_runtime_milli_hours(const struct line *line)
{
    return (uint32_t)(line->runtime_s / 3.6);
}
