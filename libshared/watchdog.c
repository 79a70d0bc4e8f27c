#include "watchdog.h"

#include <string.h>

#define PERIOD_MS 1000
#define SHORTEST_MS 100
#define LONGEST_MS (INT64_C(3600) * 1000)

void watchdog_configure(struct watchdog_settings *out, struct config_node *node)
{
    memset(out, 0, sizeof *out);
    out->period_ms = config_duration(node, "period", PERIOD_MS, SHORTEST_MS, LONGEST_MS);
    out->safe_unconfirmed_ms = config_duration(node, "safe_unconfirmed", 0, 0, LONGEST_MS);
    failsafe_configure_missing(&out->missing, node);
}

void watchdog_init(struct watchdog *watchdog, const struct watchdog_settings *settings,
                   int64_t now_ms)
{
    *watchdog = (struct watchdog){.settings = settings, .due_ms = now_ms};
    failsafe_init(&watchdog->missing, &settings->missing, now_ms);
}

bool watchdog_due(struct watchdog *watchdog, int64_t now_ms)
{
    int64_t period_ms = watchdog->settings->period_ms;

    if (period_ms == 0 || now_ms < watchdog->due_ms)
        return false;
    watchdog->due_ms += ((now_ms - watchdog->due_ms) / period_ms + 1) * period_ms;
    return true;
}

const char *watchdog_withheld(struct watchdog *watchdog, const struct failsafe_signs *signs,
                              int64_t owed_ms, int64_t now_ms)
{
    int64_t limit_ms = watchdog->settings->safe_unconfirmed_ms;

    failsafe_judge(&watchdog->missing, signs, now_ms);
    if (limit_ms > 0 && owed_ms >= limit_ms)
        return "safe_unconfirmed";
    return failsafe_missing(&watchdog->missing);
}
