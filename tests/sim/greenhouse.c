#include "greenhouse.h"

#include <math.h>

#define STEP_S (GREENHOUSE_STEP_MS / 1000.0)
#define STEPS_PER_DAY (GREENHOUSE_DAY_S * 1000 / GREENHOUSE_STEP_MS)
#define START_OF_DAY 0.375 /* nine o'clock */
#define SKY_CHANGE_STEPS (30 * 1000 / GREENHOUSE_STEP_MS)

/* Temperatures in °C, rates in °C/s, time constants in s. */
#define OUTSIDE_MEAN 24.0
#define OUTSIDE_SWING 2.5
#define SUN_WARMS 11.0
#define GLASS_TIME 80.0
/* What the fan's cooled air tends to: below any weather, so that it always cools. */
#define WET_WALL 6.0
#define FAN_TIME 75.0

/* Shares in %, rates in %/s. */
#define DRYING_RATE 0.05
#define DRYING_BY_SUN 0.06
#define IRRIGATION_RATE 0.6

static double limit(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

void greenhouse_init(struct greenhouse *greenhouse, uint64_t seed)
{
    *greenhouse = (struct greenhouse){
        .temperature = 24,
        .humidity = 68,
        .soil_moisture = 38,
        .noise = {.state = seed},
        .sky = 0.9,
        .sky_to_come = 0.9,
    };
    greenhouse->season = noise_between(&greenhouse->noise, -0.8, 0.8);
    greenhouse_step(greenhouse);
}

/* 0 by night, 1 at noon under a clear sky. */
static double greenhouse_sun(struct greenhouse *greenhouse, double day)
{
    if (greenhouse->steps % SKY_CHANGE_STEPS == 0)
        greenhouse->sky_to_come = noise_between(&greenhouse->noise, 0.75, 1.0);
    greenhouse->sky += (greenhouse->sky_to_come - greenhouse->sky) * STEP_S / 10;
    return fmax(0, -cos(2 * M_PI * day)) * greenhouse->sky;
}

static void step_temperature(struct greenhouse *greenhouse, double outside, double sun)
{
    double tends_to = outside + SUN_WARMS * sun;
    double rate = (tends_to - greenhouse->temperature) / GLASS_TIME;

    if (greenhouse->fan)
        rate += (WET_WALL - greenhouse->temperature) / FAN_TIME;
    greenhouse->temperature = limit(greenhouse->temperature + rate * STEP_S, -20, 60);
}

/* Warm air holds more water: relative humidity falls as it warms; soil and water give some back. */
static void step_humidity(struct greenhouse *greenhouse)
{
    double tends_to = 84 - 0.8 * greenhouse->temperature + 0.15 * greenhouse->soil_moisture;
    double rate = (tends_to - greenhouse->humidity) / 60;

    if (greenhouse->fan)
        rate += (60 - greenhouse->humidity) / 120;
    if (greenhouse->irrigation)
        rate += 0.1;
    rate += noise_between(&greenhouse->noise, -0.3, 0.3);
    greenhouse->humidity = limit(greenhouse->humidity + rate * STEP_S, 5, 99);
}

static void step_soil(struct greenhouse *greenhouse, double sun)
{
    double rate = -DRYING_RATE - DRYING_BY_SUN * sun;

    if (greenhouse->irrigation)
        rate += IRRIGATION_RATE;
    greenhouse->soil_moisture = limit(greenhouse->soil_moisture + rate * STEP_S, 2, 95);
}

void greenhouse_step(struct greenhouse *greenhouse)
{
    double day = START_OF_DAY + (double)(greenhouse->steps % STEPS_PER_DAY) / STEPS_PER_DAY;
    double sun = greenhouse_sun(greenhouse, day);
    /* The warmest hour is two hours after noon. */
    double outside =
        OUTSIDE_MEAN + greenhouse->season - OUTSIDE_SWING * cos(2 * M_PI * (day - 2.0 / 24));

    step_temperature(greenhouse, outside, sun);
    step_humidity(greenhouse);
    step_soil(greenhouse, sun);
    greenhouse->light = limit(20 + 900 * sun + (greenhouse->led ? 350 : 0), 0, 1023);
    greenhouse->steps++;
}
