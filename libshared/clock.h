/* The clocks of the suite. Pure modules take their time as a parameter instead. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void); /* monotonic, for periods and time-outs */
/* Wall clock, milliseconds since 1970 UTC, for what leaves the process. */
int64_t clock_time_ms(void);

/* In µs, for what is measured against them; nothing is stored or sent in it. */
int64_t clock_now_us(void);    /* monotonic */
int64_t clock_thread_us(void); /* CPU time that the calling thread has used */

#endif
