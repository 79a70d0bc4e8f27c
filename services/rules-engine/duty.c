#include "duty.h"

#include <stdlib.h>

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

size_t duty_n_kept(const struct duty *duty, const struct rule *rule)
{
    return duty->n_fired < rule->max_per_hour ? (size_t)duty->n_fired : rule->max_per_hour;
}

static size_t place(const struct duty *duty, const struct rule *rule, size_t i)
{
    return (size_t)(duty->n_fired - duty_n_kept(duty, rule) + i) % rule->max_per_hour;
}

int64_t duty_kept_ms(const struct duty *duty, const struct rule *rule, size_t i)
{
    return duty->hour[place(duty, rule, i)];
}

static bool is_known(const struct duty *duty, const struct rule *rule, int64_t time_ms)
{
    for (size_t i = 0; i < duty_n_kept(duty, rule); i++)
        if (duty_kept_ms(duty, rule, i) == time_ms)
            return true;
    return false;
}

void duty_recall(struct duty *duty, const struct rule *rule, int64_t time_ms)
{
    int64_t last_ms = duty->fired_ms;
    size_t n = duty_n_kept(duty, rule);
    if (duty->n_fired > 0 && rule->max_per_hour == 0 && time_ms <= last_ms)
        return;
    if (n > 0 && (is_known(duty, rule, time_ms) ||
                  (n == rule->max_per_hour && time_ms < duty_kept_ms(duty, rule, 0))))
        return;
    duty_fired(duty, rule, time_ms);
    duty->fired_ms = last_ms > time_ms ? last_ms : time_ms;
    for (size_t i = duty_n_kept(duty, rule); i-- > 1;) { /* to its place among the others */
        int64_t *later = &duty->hour[place(duty, rule, i)];
        int64_t *earlier = &duty->hour[place(duty, rule, i - 1)], swapped = *earlier;
        if (swapped <= *later)
            break;
        *earlier = *later;
        *later = swapped;
    }
}

int64_t duty_rested_ms(const struct duty *duty, const struct rule *rule)
{
    if (!duty || duty->n_fired == 0)
        return INT64_MIN;
    int64_t at_ms = duty->fired_ms + rule->cool_down_ms;
    if (rule->max_per_hour > 0 && duty->n_fired >= rule->max_per_hour) {
        /* The oldest of the ring is where the next one will be put. */
        int64_t hour_ms = duty->hour[duty->n_fired % rule->max_per_hour] + DUTY_HOUR_MS;
        at_ms = hour_ms > at_ms ? hour_ms : at_ms;
    }
    return at_ms;
}
