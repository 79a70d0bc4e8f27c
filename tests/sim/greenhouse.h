/* A greenhouse through days of ten simulated minutes. Pure, and the same for the same seed.
 *
 * Each quantity is pulled towards its surroundings with a time constant, as Newton's law of cooling
 * has it; the sun, the clouds and the outputs move them. Left alone it gets warmer than 30 °C at
 * noon and never colder than 20.5 °C, and the soil dries out; the fan cools in any weather. */
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
    bool irrigation;
    bool led; /* only the light sensor feels it */
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
