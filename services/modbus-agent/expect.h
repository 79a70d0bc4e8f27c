/* What somebody read off the device's own display: "229.0±5", "229.0+-5", "229±2%". Pure. */
#ifndef EXPECT_H
#define EXPECT_H

#include <stddef.h>

#define EXPECT_TOLERANCE 0.02 /* of the value, where the text says none */

struct expectation {
    double value;
    double tolerance;
};

/* Several are parted by commas. Returns how many, at most `max`; -EINVAL where the text is none, or
 * -E2BIG. */
int expect_parse(struct expectation *out, size_t max, const char *text);

/* How well a number is as expected: 1 at the very value, 0 beyond the tolerance, which is taken for
 * two standard deviations. */
double expect_weight(const struct expectation *expected, double number);

#endif
