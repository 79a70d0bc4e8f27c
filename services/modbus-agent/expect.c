#include "expect.h"

#include "number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define PLUS_MINUS "\xc2\xb1" /* U+00B1 in UTF-8 */

static int parse_one(struct expectation *out, const char *text, size_t length)
{
    const char *sign = memmem(text, length, PLUS_MINUS, 2);
    bool percent = length && text[length - 1] == '%';
    size_t value_length;
    int rc;

    if (!sign)
        sign = memmem(text, length, "+-", 2);
    value_length = sign ? (size_t)(sign - text) : length;
    rc = number_parse(text, value_length, &out->value);
    if (rc != 0)
        return -EINVAL;
    out->tolerance = EXPECT_TOLERANCE * fabs(out->value);
    if (!sign)
        return 0;
    rc = number_parse(sign + 2, length - value_length - 2 - percent, &out->tolerance);
    if (percent)
        out->tolerance *= fabs(out->value) / 100;
    return rc == 0 && out->tolerance >= 0 ? 0 : -EINVAL;
}

int expect_parse(struct expectation *out, size_t max, const char *text)
{
    size_t n = 0;

    while (true) {
        size_t length;

        text += strspn(text, " ");
        length = strcspn(text, ", ");
        if (n == max)
            return -E2BIG;
        if (parse_one(&out[n++], text, length) != 0)
            return -EINVAL;
        text += length;
        text += strspn(text, " ");
        if (*text == '\0')
            return (int)n;
        if (*text++ != ',')
            return -EINVAL;
    }
}

double expect_weight(const struct expectation *expected, double number)
{
    /* A little more than asked for, since 0.1 is no double. */
    double most = expected->tolerance + 1e-9 * fabs(expected->value);
    double error = fabs(number - expected->value);

    return error <= most ? exp(-2 * (error / most) * (error / most)) : 0;
}
