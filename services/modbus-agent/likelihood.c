#include "likelihood.h"

#include <math.h>

#define NEGATIVE 0.2     /* share of what can be negative that is */
#define FLOAT_ZERO 0.1   /* of floats that are exactly 0 */
#define FLOAT_USUAL 0.85 /* of those with a usual exponent */
#define FLOAT_NONE 0.01  /* of those that are not finite: "no value" */
#define FLOAT_SHORT 0.5  /* of those with few significant bits */
#define USUAL_EXPONENT_MIN (-10)
#define USUAL_EXPONENT_MAX 23
#define USUAL_EXPONENTS (USUAL_EXPONENT_MAX - USUAL_EXPONENT_MIN + 1)

/* P(n) of a whole number is proportional to 1/(n+1) up to `max`. */
static double whole(double number, double max)
{
    return 1 / ((fabs(number) + 1) * (log(max + 1) + 0.58)); /* Euler's constant */
}

static double with_sign(double number, double max)
{
    return (number < 0 ? NEGATIVE : 1 - NEGATIVE) * whole(number, max);
}

/* Of the fraction: so many bits that all are as likely, or the fewer the more zeros end it. */
static double fraction(double mantissa, int bits)
{
    double rest = ldexp(mantissa, bits); /* whole, since the type has no more bits */
    int zeros = 0;

    while (zeros < bits && fmod(rest, 2) == 0) {
        rest /= 2;
        zeros++;
    }
    return (1 - FLOAT_SHORT) * ldexp(1, -bits) + FLOAT_SHORT * ldexp(1, zeros - bits) / (bits + 1);
}

/* `bits` of fraction and `exponents` that the type has. */
static double floating(double number, int bits, double exponents)
{
    int exponent;
    double mantissa;

    if (number == 0)
        return FLOAT_ZERO;
    if (!isfinite(number))
        return FLOAT_NONE * ldexp(1, -bits);
    mantissa = 2 * frexp(fabs(number), &exponent) - 1; /* 1.m × 2^(exponent − 1) */
    exponent--;
    return (number < 0 ? NEGATIVE : 1 - NEGATIVE) * fraction(mantissa, bits) *
           (exponent >= USUAL_EXPONENT_MIN && exponent <= USUAL_EXPONENT_MAX
                ? FLOAT_USUAL / USUAL_EXPONENTS
                : (1 - FLOAT_USUAL - FLOAT_ZERO - FLOAT_NONE) / exponents);
}

static double both_bytes(const struct encoding *encoding, uint16_t cell)
{
    double high = cell >> 8;
    double low = cell & 0xff;

    if (encoding->type == DATA_UINT8)
        return whole(high, UINT8_MAX) * whole(low, UINT8_MAX);
    return with_sign((int8_t)(cell >> 8), INT8_MAX) * with_sign((int8_t)(cell & 0xff), INT8_MAX);
}

double likelihood_log2(const struct encoding *encoding, const uint16_t *cells)
{
    char text[DECODE_TEXT_SIZE];
    double number = decode(encoding, cells, text).number;
    double min;
    double max;

    encoding_range(encoding, &min, &max);
    switch (encoding->type) {
    case DATA_INT8:
    case DATA_UINT8:
        return log2(both_bytes(encoding, cells[0]));
    case DATA_BCD16:
    case DATA_BCD32:
        return isnan(number) ? -INFINITY : log2(whole(number, max));
    case DATA_FLOAT16:
        return log2(floating(number, 10, 31));
    case DATA_FLOAT32:
        return log2(floating(number, 23, 255));
    case DATA_FLOAT64:
        return log2(floating(number, 52, 2047));
    default:
        return log2(min < 0 ? with_sign(number, max) : whole(number, max));
    }
}

/* Nothing is most often 0, and sometimes what devices say for "not there" (SunSpec's among them).
 */
double likelihood_other_log2(uint16_t cell)
{
    double nothing = cell == 0 ? 0.75 : cell == 0xffff || cell == 0x8000 ? 0.05 : 0;

    return log2(nothing + 0.15 * ldexp(1, -16));
}
