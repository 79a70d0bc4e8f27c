/* A counter that another part keeps, shown as one of health's. A reload starts it anew there and
 * not here. */
#ifndef TALLY_H
#define TALLY_H

#include "health.h"

#include <stdint.h>

struct tally {
    const char *name; /* kept not copied */
    uint64_t told;    /* what has been shown of it */
};

void tally_tell(struct tally *tally, struct health *health, uint64_t value);

#endif
