/* How many steps of simulated time are due: the physics always steps by the same simulated time, so
 * its course does not depend on the speed. Pure. */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

struct pace {
    double speed; /* simulated seconds a second */
    int64_t step_ms;
    int64_t last_ms; /* when pace_due() was last asked */
    double owed_ms;  /* simulated time not yet stepped */
};

/* Steps to take now. After a long pause (a suspended machine) at most a simulated minute is caught
 * up. */
unsigned pace_due(struct pace *pace, int64_t now_ms);

#endif
