#include "duty.h"

#include <stdlib.h>

#define HOUR_MS (INT64_C(3600) * 1000)

struct duty *duty_open(const struct rule *rule)
{
    return calloc(1, sizeof(struct duty) + rule->max_per_hour * sizeof(int64_t));
}

void duty_close(struct duty *duty)
{
    free(duty);
}

void duty_fired(struct duty *duty, const struct rule *rule, int64_t time_ms)
{
    duty->fired_ms = time_ms;
    if (rule->max_per_hour > 0)
        duty->hour[duty->n_fired % rule->max_per_hour] = time_ms;
    duty->n_fired++;
}

int64_t duty_rested_ms(const struct duty *duty, const struct rule *rule)
{
    if (!duty || duty->n_fired == 0)
        return INT64_MIN;
    int64_t at_ms = duty->fired_ms + rule->cool_down_ms;
    if (rule->max_per_hour > 0 && duty->n_fired >= rule->max_per_hour) {
        /* The oldest of the ring is where the next one will be put. */
        int64_t hour_ms = duty->hour[duty->n_fired % rule->max_per_hour] + HOUR_MS;
        at_ms = hour_ms > at_ms ? hour_ms : at_ms;
    }
    return at_ms;
}
