/* Randomness for jitter: not for secrets. */
#ifndef DRAW_H
#define DRAW_H

#include <stdint.h>

/* A uniform 64-bit number. Never blocks, never fails; before the kernel has randomness of its own it is
 * made from the clock and the process id, which is enough to spread retries. Any thread. */
uint64_t draw(void);

#endif
