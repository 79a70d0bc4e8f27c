/* Values of actuators to cells and back. Pure. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "settings.h"

/* Returns 0; -ERANGE where the register cannot hold it; -EINVAL for a text. */
int output_encode(const struct output *output, const struct value *value, uint16_t *cells);

/* What the cells hold, as the actuator's value. */
struct value output_decode(const struct output *output, const uint16_t *cells);

/* The values that can be written. */
void output_range(const struct output *output, double *min, double *max);

#endif
