#include "tally.h"

void tally_tell(struct tally *tally, struct health *health, uint64_t value)
{
    if (value > tally->told)
        health_raise(health_count(health, tally->name), value - tally->told);
    tally->told = value;
}
