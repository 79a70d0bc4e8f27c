/* Durations and sizes as the configuration writes them: a whole number and a unit. Pure. */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include <stdint.h>

#define CONFIG_UNITS_SIZE 32 /* bytes of a formatted one, NUL included */

/* "250ms" "5s" "2m" "1h" "7d". Return 0, -EINVAL, or -ERANGE past INT64_MAX. */
int config_parse_duration(const char *text, int64_t *out_ms);
/* "512" "64KiB" "64MiB" "2GiB": bytes, or a binary multiple (IEC 80000-13). Likewise. */
int config_parse_size(const char *text, int64_t *out_bytes);

/* In the largest unit that divides it; at least 0. */
void config_format_duration(char out[CONFIG_UNITS_SIZE], int64_t ms);
void config_format_size(char out[CONFIG_UNITS_SIZE], int64_t bytes);

#endif
