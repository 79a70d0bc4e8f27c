/* Randomness that is the same for the same seed on every machine: SplitMix64 (Steele, Lea, Flood,
 * "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014). Pure. */
#ifndef NOISE_H
#define NOISE_H

#include <stdint.h>

struct noise {
    uint64_t state; /* the seed, at first */
};

double noise_between(struct noise *noise, double low, double high); /* uniform, `high` excluded */

#endif
