/* How often something may happen: once each `interval_ms` on average, up to `burst` at once.
 * The generic cell rate algorithm: ITU-T I.371, annex A. Pure. */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t interval_ms;
    int64_t burst;     /* at least 1 */
    int64_t expect_ms; /* when the next would come if each came as late as it may */
};

/* Whether it may happen now; if so, it has. */
bool pace_allow(struct pace *pace, int64_t now_ms);

int64_t pace_ready_ms(const struct pace *pace); /* from when pace_allow() says yes */

#endif
