#include "draw.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

uint64_t draw(void)
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number)
        return number;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    number = (uint64_t)now.tv_nsec ^ ((uint64_t)now.tv_sec << 30) ^ ((uint64_t)getpid() << 48);
    return number * 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio: spreads neighbouring numbers */
}
