#include "config_units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* The largest first; the last one divides everything. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"GiB", INT64_C(1) << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}, {NULL, 0},
};

static int parse(const struct unit *units, const char *text, int64_t *out)
{
    int64_t number = 0;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++) {
        if (number > (INT64_MAX - (*at - '0')) / 10)
            return -ERANGE;
        number = number * 10 + (*at - '0');
    }
    if (at == text)
        return -EINVAL;
    while (units->name && strcmp(units->name, at) != 0)
        units++;
    if (!units->name)
        return -EINVAL;
    if (number > INT64_MAX / units->factor)
        return -ERANGE;
    *out = number * units->factor;
    return 0;
}

static void format(char out[CONFIG_UNITS_SIZE], const struct unit *units, int64_t number)
{
    while (units->factor > 1 && (number == 0 || number % units->factor != 0))
        units++;
    snprintf(out, CONFIG_UNITS_SIZE, "%" PRId64 "%s", number / units->factor, units->name);
}

int config_parse_duration(const char *text, int64_t *out_ms)
{
    return parse(durations, text, out_ms);
}

int config_parse_size(const char *text, int64_t *out_bytes)
{
    return parse(sizes, text, out_bytes);
}

void config_format_duration(char out[CONFIG_UNITS_SIZE], int64_t ms)
{
    format(out, durations, ms);
}

void config_format_size(char out[CONFIG_UNITS_SIZE], int64_t bytes)
{
    format(out, sizes, bytes);
}
