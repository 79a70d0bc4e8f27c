#include "line.h"

#include <math.h>

#define STEP_S (LINE_STEP_MS / 1000.0)
#define STEPS_PER_SHIFT (LINE_SHIFT_S * 1000 / LINE_STEP_MS)

#define USUAL_SPEED 1.02    /* share of the set point */
#define CATCH_UP_SPEED 1.25 /* likewise, after a jam */
#define JAM_LENGTH 0.28 /* share of the runtime before it: the rate falls to 1.02 / 1.28 = 80 % */

/* % */
#define QUALITY_USUAL 99.0
#define QUALITY_AFTER_JAM 96.0
#define QUALITY_MIN 95.0
#define QUALITY_MAX 99.5
#define QUALITY_TIME_S 60

/* °C and s: what the process tends to by itself, and what the cooling water pulls it to. */
#define PROCESS_HEAT 60.0
#define PROCESS_TIME_S 600
#define COOLING_WATER 10.0
#define COOLING_TIME_S 120

/* bar and bar/s */
#define PRESSURE_REGULATED 2.2
#define PRESSURE_FREES 2.5
#define PRESSURE_STOP 4.5
#define STUCK_RATE 0.04
#define FALL_RATE 0.06

#define FLOW 42.0 /* l/min */

/* kW */
#define POWER_BASE 0.2
#define POWER_PUMP_0 0.8
#define POWER_PUMP_1 1.1
#define POWER_CONVEYOR 1.5
#define POWER_FULL_SPEED 2.5
#define POWER_JAM 5.5

static void line_plan_shift(struct line *line)
{
    line->units = 0;
    line->runtime_s = 0;
    line->downtime_s = 0;
    line->catching_up = false;
    line->jam_from_s = noise_between(&line->noise, 180, 300);
    line->jam_to_s = line->jam_from_s * (1 + JAM_LENGTH);
}

static double line_time_s(const struct line *line)
{
    return (double)line->steps * STEP_S;
}

static bool line_is_on(const struct line *line)
{
    return line->conveyor && !line->emergency_stop;
}

void line_init(struct line *line, uint64_t seed)
{
    *line = (struct line){
        .pump_1 = true,
        .conveyor = true,
        .speed_setpoint = LINE_NOMINAL_RATE,
        .quality = QUALITY_USUAL,
        .temperature = 25,
        .pressure = PRESSURE_REGULATED,
        .flow = FLOW,
        .noise = {.state = seed},
    };
    line->regulator_sticks_s = noise_between(&line->noise, 40, 80);
    line_step(line);
}

static void step_production(struct line *line)
{
    bool was_jammed = line->jam;

    line->jam = line->runtime_s >= line->jam_from_s && line->runtime_s < line->jam_to_s;
    if (was_jammed && !line->jam)
        line->catching_up = true;
    if (line->units >= line->runtime_s * line->speed_setpoint / 3600)
        line->catching_up = false;
    line->speed = 0;
    if (!line_is_on(line))
        return;
    if (line->jam)
        line->downtime_s += STEP_S;
    else
        line->speed = line->speed_setpoint * (line->catching_up ? CATCH_UP_SPEED : USUAL_SPEED) *
                      noise_between(&line->noise, 0.995, 1.005);
    line->units += line->speed / 3600 * STEP_S;
    line->runtime_s += STEP_S;
}

/* What was jammed, and what is made in haste after it, is not as good. */
static void step_quality(struct line *line)
{
    double tends_to = line->jam || line->catching_up ? QUALITY_AFTER_JAM : QUALITY_USUAL;
    double rate = (tends_to - line->quality) / QUALITY_TIME_S;

    rate += noise_between(&line->noise, -0.1, 0.1);
    line->quality = fmin(fmax(line->quality + rate * STEP_S, QUALITY_MIN), QUALITY_MAX);
}

static void step_temperature(struct line *line)
{
    double rate = (PROCESS_HEAT - line->temperature) / PROCESS_TIME_S;

    if (line->pump_0)
        rate += (COOLING_WATER - line->temperature) / COOLING_TIME_S;
    rate += noise_between(&line->noise, -0.1, 0.1);
    line->temperature += rate * STEP_S;
}

static void step_pressure(struct line *line)
{
    double rate = -FALL_RATE;

    if (!line->regulator_stuck && line_time_s(line) >= line->regulator_sticks_s && line->pump_1)
        line->regulator_stuck = true;
    if (line->pump_1)
        rate = line->regulator_stuck ? STUCK_RATE : (PRESSURE_REGULATED - line->pressure) / 5;
    rate += noise_between(&line->noise, -0.02, 0.02);
    line->pressure = fmin(fmax(line->pressure + rate * STEP_S, 0), PRESSURE_STOP);
    if (line->regulator_stuck && !line->pump_1 && line->pressure < PRESSURE_FREES) {
        line->regulator_stuck = false;
        line->regulator_sticks_s = line_time_s(line) + noise_between(&line->noise, 90, 240);
    }
}

static void step_flow(struct line *line)
{
    double tends_to = line->pump_1 ? FLOW * noise_between(&line->noise, 0.97, 1.03) : 0;

    line->flow += (tends_to - line->flow) * STEP_S / 2;
}

/* A motor that pushes against a jam draws most. */
static void step_energy(struct line *line)
{
    double power = POWER_BASE;

    if (line->pump_0)
        power += POWER_PUMP_0;
    if (line->pump_1)
        power += POWER_PUMP_1;
    if (line_is_on(line))
        power += line->jam ? POWER_JAM
                           : POWER_CONVEYOR + POWER_FULL_SPEED * line->speed / LINE_NOMINAL_RATE;
    line->energy += power * STEP_S / 3600;
}

void line_step(struct line *line)
{
    if (line->steps % STEPS_PER_SHIFT == 0)
        line_plan_shift(line);
    step_production(line);
    step_quality(line);
    step_temperature(line);
    step_pressure(line);
    step_flow(line);
    step_energy(line);
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
