#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <langinfo.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both fast paths rest on Clinger, "How to Read Floating Point Numbers Accurately" (PLDI 1990): a
 * whole number below 2^53 and a power of ten up to 10^22 are exact doubles, so their quotient is
 * the double nearest to the decimal fraction. */
static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum {
    FAST_DECIMALS = 6, /* digits after the point that number_format() tries without printf() */
    EXACT_POWER = 22
};

/* Writes mantissa / 10^decimals. */
static size_t write_decimal(char out[NUMBER_SIZE], double mantissa, int decimals)
{
    char digits[NUMBER_SIZE];
    size_t n = 0;
    uint64_t rest = (uint64_t)fabs(mantissa);
    for (int position = 0; rest > 0 || position <= decimals; position++) {
        if (position == decimals && decimals > 0)
            digits[n++] = '.';
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    }
    size_t length = 0;
    if (mantissa < 0)
        out[length++] = '-';
    while (n > 0)
        out[length++] = digits[--n];
    out[length] = '\0';
    return length;
}

/* "1,5e+07" in the current locale becomes "1.5e7". */
static size_t tidy(char *text)
{
    const char *radix = nl_langinfo(RADIXCHAR);
    char *point = strstr(text, radix);
    if (point) {
        size_t length = strlen(radix);
        *point = '.';
        memmove(point + 1, point + length, strlen(point + length) + 1);
    }
    char *exponent = strchr(text, 'e');
    if (exponent) {
        char *to = exponent + 1;
        char *digits = to + strspn(to, "+-");
        if (*to == '-')
            to++;
        digits += strspn(digits, "0");
        memmove(to, digits, strlen(digits) + 1);
    }
    return strlen(text);
}

size_t number_format(char out[NUMBER_SIZE], double number)
{
    for (int decimals = 0; decimals <= FAST_DECIMALS; decimals++) {
        double scaled = rint(number * powers_of_ten[decimals]);
        if (!(fabs(scaled) < 1e15))
            break;
        if (scaled / powers_of_ten[decimals] == number)
            return write_decimal(out, scaled, decimals);
    }
    /* Any decimal of DBL_DIG digits survives the way through a normal double, so nothing shorter
     * needs a try; a subnormal one has fewer digits. */
    int precision = fabs(number) < DBL_MIN ? 1 : DBL_DIG;
    do
        snprintf(out, NUMBER_SIZE, "%.*g", precision, number);
    while (strtod(out, NULL) != number && ++precision <= DBL_DECIMAL_DIG);
    return tidy(out);
}

struct decimal {
    uint64_t mantissa; /* all digits, where there are few enough */
    size_t n_digits;   /* without leading zeros */
    size_t decimals;
    const char *point; /* NULL where there is none */
    bool has_exponent;
    bool negative;
};

static const char *scan_digits(const char *at, const char *end, struct decimal *out)
{
    for (; at < end && isdigit((unsigned char)*at); at++) {
        if (out->n_digits > 0 || *at != '0')
            out->n_digits++;
        if (out->n_digits <= DBL_DIG)
            out->mantissa = out->mantissa * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

/* The grammar of number.h. */
static bool scan(const char *text, const char *end, struct decimal *out)
{
    const char *at = text;
    if (at < end && (*at == '-' || *at == '+'))
        out->negative = *at++ == '-';
    const char *digits = at;
    at = scan_digits(at, end, out);
    if (at == digits)
        return false;
    if (at < end && *at == '.') {
        out->point = at++;
        digits = at;
        at = scan_digits(at, end, out);
        out->decimals = (size_t)(at - digits);
        if (at == digits)
            return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        out->has_exponent = true;
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        digits = at;
        while (at < end && isdigit((unsigned char)*at))
            at++;
        if (at == digits)
            return false;
    }
    return at == end;
}

/* strtod() wants a NUL behind and the locale's point within. */
static double read_slowly(const char *text, size_t length, const char *point)
{
    char copy[NUMBER_TEXT_MAX + 16];
    size_t before = point ? (size_t)(point - text) : length;
    const char *radix = point ? nl_langinfo(RADIXCHAR) : "";
    const char *after = point ? point + 1 : "";
    snprintf(copy, sizeof copy, "%.*s%s%.*s", (int)before, text, radix,
             point ? (int)(length - before - 1) : 0, after);
    return strtod(copy, NULL);
}

double number_of_digits(uint64_t digits, size_t n_decimals)
{
    return (double)digits / powers_of_ten[n_decimals];
}

int number_parse(const char *text, size_t length, double *out)
{
    struct decimal decimal = {0};
    if (length > NUMBER_TEXT_MAX || !scan(text, text + length, &decimal))
        return -EINVAL;
    double number;
    if (decimal.n_digits <= DBL_DIG && decimal.decimals <= EXACT_POWER && !decimal.has_exponent) {
        number = number_of_digits(decimal.mantissa, decimal.decimals);
        number = decimal.negative ? -number : number;
    } else {
        number = read_slowly(text, length, decimal.point);
    }
    if (!isfinite(number))
        return -ERANGE;
    *out = number;
    return 0;
}
