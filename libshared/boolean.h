/* Booleans as devices and people write them: ON, off, True, 1. Pure. */
#ifndef BOOLEAN_H
#define BOOLEAN_H

#include "value.h"

#include <stdbool.h>

/* From a boolean, the numbers 0 and 1, or the texts on/off, true/false, 1/0 in any case.
 * Returns 0, or -EINVAL where it is none of them. */
int boolean_read(const struct value *from, bool *out);

#endif
