/* How likely registers are to look as they do if they hold a value of some type. Pure.
 *
 * Quantities are taken to be of any order of magnitude, each as likely as the next (Benford's law):
 * whole numbers up to what their type holds, floats from about 0.001 to 8 million and seldom
 * beyond. Half of all floats are taken to be short ones, such as 50 and 22.5. */
#ifndef LIKELIHOOD_H
#define LIKELIHOOD_H

#include "decode.h"

#include <stdint.h>

/* The binary logarithm of the probability of just these cells; -INFINITY: this type never has them.
 * Of one byte of a register both are judged. Not for DATA_BOOL, _BIT, _BITS and _STRING. */
double likelihood_log2(const struct encoding *encoding, const uint16_t *cells);

/* The same for a register that holds nothing, or something else: flags, a code, a letter. */
double likelihood_other_log2(uint16_t cell);

#endif
