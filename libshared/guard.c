#include "guard.h"

#include "interlock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SECOND_MS 1000
#define HOUR_MS INT64_C(3600000)
#define LONGEST_MS (7 * 24 * HOUR_MS)
#define STEP_ERROR 1e-6 /* of a step: what decimal fractions lose as doubles */

static void configure_allowed(struct guard_settings *out, struct config_node *node,
                              enum value_type type)
{
    struct config_node *allowed = config_array(node, "allowed");
    size_t n = config_length(allowed);

    if (n > GUARD_ALLOWED_MAX) {
        config_problem(node, "allowed", "has %zu values, %d at most", n, GUARD_ALLOWED_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out->allowed[i] = type == VALUE_NUMBER ? value_number(config_number_at(allowed, i))
                                               : value_text(config_string_at(allowed, i));
    out->n_allowed = n;
}

static double positive(struct config_node *node, const char *key)
{
    double number = config_number(node, key, 0);

    if (number < 0)
        config_problem(node, key, "is below 0");
    return number;
}

static void configure_switching(struct guard_settings *out, struct config_node *node)
{
    out->min_on_ms = config_duration(node, "min_on", 0, 0, LONGEST_MS);
    out->min_off_ms = config_duration(node, "min_off", 0, 0, LONGEST_MS);
    out->max_on_ms = config_duration(node, "max_on", 0, 0, LONGEST_MS);
    out->starts_per_hour =
        (unsigned)config_integer(node, "starts_per_hour", 0, 0, GUARD_STARTS_MAX);
    if (out->max_on_ms > 0 && out->max_on_ms < out->min_on_ms)
        config_problem(node, "max_on", "is shorter than \"min_on\"");
    if (config_has(node, "exclusive"))
        snprintf(out->exclusive, sizeof out->exclusive, "%s",
                 config_require_name(node, "exclusive"));
}

void guard_configure(struct guard_settings *out, struct config_node *node, enum value_type type,
                     double origin)
{
    memset(out, 0, sizeof *out);
    out->origin = origin;
    out->interlock = interlock_configure(node, "interlock");
    if (type != VALUE_BOOL)
        configure_allowed(out, node, type);
    if (type != VALUE_TEXT)
        configure_switching(out, node);
    if (type != VALUE_NUMBER)
        return;
    out->step = positive(node, "step");
    out->max_rate = positive(node, "max_rate");
}

void guard_init(struct guard *guard, const struct guard_settings *settings, int64_t now_ms)
{
    memset(guard, 0, sizeof *guard);
    guard->settings = settings;
    guard->since_ms = now_ms;
}

bool guard_is_on(const struct value *value)
{
    return (value->type == VALUE_BOOL && value->boolean) ||
           (value->type == VALUE_NUMBER && value->number != 0);
}

static void count_start(struct guard *guard, int64_t now_ms)
{
    guard->starts_ms[guard->n_starts++ % GUARD_STARTS_MAX] = now_ms;
}

/* Returns whether it is not as it was left. */
static bool see_first(struct guard *guard, bool on, int64_t now_ms)
{
    bool as_left = guard->restored && on == guard->was_on;

    guard->since_ms = as_left ? guard->was_since_ms : now_ms;
    if (!guard->restored)
        guard->on_ms = now_ms;
    else if (on && !as_left)
        count_start(guard, now_ms);
    return !as_left;
}

static void see_switched(struct guard *guard, bool on, int64_t now_ms)
{
    if (on)
        count_start(guard, now_ms);
    guard->since_ms = now_ms;
    guard->on_ms = now_ms;
}

bool guard_see(struct guard *guard, const struct value *held, int64_t now_ms)
{
    bool on = guard_is_on(held);
    bool changed = guard->known && on != guard->on;

    if (changed)
        see_switched(guard, on, now_ms);
    else if (!guard->known)
        changed = see_first(guard, on, now_ms);
    if (held->type == VALUE_NUMBER && (!guard->known || held->number != guard->number)) {
        guard->number = held->number;
        guard->number_ms = now_ms;
    }
    guard->on = on;
    guard->known = true;
    return changed;
}

void guard_restore(struct guard *guard, const struct guard_history *history, int64_t now_ms,
                   int64_t time_ms)
{
    int64_t age_ms = time_ms - history->since_ms;

    guard->restored = true;
    guard->was_on = history->on;
    guard->was_since_ms = now_ms - (age_ms > 0 ? age_ms : 0);
    guard->on_ms = now_ms - (age_ms >= 0 ? age_ms : LONGEST_MS);
    for (size_t i = 0; i < history->n_starts; i++) {
        age_ms = time_ms - history->starts_ms[i];
        count_start(guard, now_ms - (age_ms > 0 ? age_ms : 0));
    }
}

static void list_starts(const struct guard *guard, struct guard_history *out, int64_t now_ms,
                        int64_t time_ms)
{
    size_t n = guard->n_starts < GUARD_STARTS_MAX ? guard->n_starts : GUARD_STARTS_MAX;

    for (size_t i = guard->n_starts - n; i < guard->n_starts; i++) {
        int64_t age_ms = now_ms - guard->starts_ms[i % GUARD_STARTS_MAX];

        if (age_ms < HOUR_MS)
            out->starts_ms[out->n_starts++] = time_ms - age_ms;
    }
}

bool guard_history(const struct guard *guard, struct guard_history *out, int64_t now_ms,
                   int64_t time_ms)
{
    const struct guard_settings *settings = guard->settings;
    bool on = guard->known ? guard->on : guard->was_on;
    int64_t since_ms = on ? guard->on_ms : guard->known ? guard->since_ms : guard->was_since_ms;

    if (!guard->known && !guard->restored)
        return false;
    if (settings->min_on_ms == 0 && settings->min_off_ms == 0 && settings->max_on_ms == 0 &&
        settings->starts_per_hour == 0)
        return false;
    *out = (struct guard_history){.on = on, .since_ms = time_ms - (now_ms - since_ms)};
    list_starts(guard, out, now_ms, time_ms);
    return true;
}

static bool is_allowed(const struct guard_settings *settings, const struct value *wanted)
{
    for (size_t i = 0; i < settings->n_allowed; i++)
        if (value_equal(&settings->allowed[i], wanted))
            return true;
    return settings->n_allowed == 0;
}

static bool is_on_step(const struct guard_settings *settings, const struct value *wanted)
{
    if (settings->step == 0 || wanted->type != VALUE_NUMBER)
        return true;
    double steps = (wanted->number - settings->origin) / settings->step;
    return fabs(steps - round(steps)) <= STEP_ERROR;
}

/* What may change at once grows with the time since the last change, for one second. */
static bool is_too_fast(const struct guard *guard, const struct value *wanted, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - guard->number_ms;

    if (guard->settings->max_rate == 0 || wanted->type != VALUE_NUMBER)
        return false;
    if (elapsed_ms > SECOND_MS)
        elapsed_ms = SECOND_MS;
    return fabs(wanted->number - guard->number) >
           guard->settings->max_rate * (double)elapsed_ms / SECOND_MS;
}

static bool starts_used_up(const struct guard *guard, int64_t now_ms)
{
    size_t limit = guard->settings->starts_per_hour;

    return limit > 0 && guard->n_starts >= limit &&
           now_ms - guard->starts_ms[(guard->n_starts - limit) % GUARD_STARTS_MAX] < HOUR_MS;
}

/* Why it may not be switched from on, or from off. */
static const char *forbids_switch(const struct guard *guard, bool from_on, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - guard->since_ms;

    if (from_on)
        return elapsed_ms < guard->settings->min_on_ms ? "it has not been on for long enough"
                                                       : NULL;
    if (elapsed_ms < guard->settings->min_off_ms)
        return "it has not been off for long enough";
    return starts_used_up(guard, now_ms) ? "it was started too often within an hour" : NULL;
}

const char *guard_refuse(const struct guard *guard, const struct value *wanted, int64_t now_ms,
                         const char **why)
{
    *why = NULL;
    if (!is_allowed(guard->settings, wanted))
        *why = "not among the values that are allowed";
    else if (!is_on_step(guard->settings, wanted))
        *why = "between two steps";
    if (*why)
        return "out_of_range";
    if (guard->known && is_too_fast(guard, wanted, now_ms))
        *why = "too large a change at once";
    else if (!guard->known || guard_is_on(wanted) != guard->on)
        *why = forbids_switch(guard, !guard_is_on(wanted), now_ms);
    return *why ? "rate_limited" : NULL;
}

int64_t guard_expiry_ms(const struct guard *guard)
{
    bool on = guard->known ? guard->on : guard->was_on;

    if (!on || guard->settings->max_on_ms == 0)
        return INT64_MAX;
    return guard->on_ms + guard->settings->max_on_ms;
}
