#include "noise.h"

static uint64_t noise_next(struct noise *noise)
{
    uint64_t z = (noise->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double noise_between(struct noise *noise, double low, double high)
{
    return low + (high - low) * ((double)(noise_next(noise) >> 11) * 0x1p-53);
}
