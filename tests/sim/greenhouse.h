/* A greenhouse through days of ten simulated minutes. Pure, and the same for the same seed.
 *
 * Each quantity is pulled towards its surroundings with a time constant, as Newton's law of cooling
 * has it; the sun, the clouds and the four outputs move them. Left alone it gets colder than 15 °C
 * at night and warmer than 30 °C at noon; fan and heater are each strong enough for any weather. */
#ifndef GREENHOUSE_H
#define GREENHOUSE_H

#include "noise.h"

#include <stdbool.h>
#include <stdint.h>

#define GREENHOUSE_STEP_MS 100 /* simulated */
#define GREENHOUSE_DAY_S 600   /* simulated */

struct greenhouse {
    /* What the sensors see. */
    double temperature;   /* °C */
    double humidity;      /* % */
    double soil_moisture; /* % */
    double light;         /* 0..1023, as the board's converter gives it */
    /* The outputs: set them at any time. */
    bool fan;
    bool heater;
    bool pump;
    bool lamp;
    /* The weather. */
    struct noise noise;
    int64_t steps;      /* since the start, which is at nine in the morning */
    double season;      /* °C that this seed's days are warmer than the usual ones */
    double sky;         /* share of the sun that comes through the clouds */
    double sky_to_come; /* what `sky` drifts to */
};

void greenhouse_init(struct greenhouse *greenhouse, uint64_t seed);
void greenhouse_step(struct greenhouse *greenhouse); /* GREENHOUSE_STEP_MS later */

#endif
