/* The two clocks of the suite. Pure modules take their time as a parameter instead. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);  /* monotonic, for periods and time-outs */
int64_t clock_time_ms(void); /* wall clock, milliseconds since 1970 UTC, for what leaves the process */

#endif
