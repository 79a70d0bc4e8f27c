/* A device's own watchdog: when the agent is to feed it, and how that went. */
#include "clock.h"
#include "controls_state.h"

#include <stdio.h>
#include <string.h>

static void count(struct controls *controls, const char *end, const char *reason)
{
    char name[64];

    snprintf(name, sizeof name, "watchdog.%s%s%s", end, reason ? "." : "", reason ? reason : "");
    health_raise(health_count(controls->health, name), 1);
}

static int64_t longest_owed_ms(const struct controls *controls, int64_t now_ms)
{
    int64_t longest = 0;

    for (size_t i = 0; i < controls->n_controls; i++) {
        int64_t owed = actuator_owed_ms(controls->controls[i].actuator, now_ms);

        longest = owed > longest ? owed : longest;
    }
    return longest;
}

static const char *withheld(struct controls *controls, int64_t now_ms)
{
    const struct failsafe_signs signs = controls_signs(controls, controls->watchdog_heartbeat);

    return watchdog_withheld(&controls->watchdog, &signs, longest_owed_ms(controls, now_ms),
                             now_ms);
}

static void tell_withheld(struct controls *controls, const char *cause)
{
    if (cause == controls->feed_withheld) /* static texts */
        return;
    controls->feed_withheld = cause;
    if (cause)
        log_warning("watchdog", "device=%s fed=no cause=%s", device_name(controls->device), cause);
    else
        log_info("watchdog", "device=%s fed=yes", device_name(controls->device));
}

void controls_feed(struct controls *controls)
{
    int64_t now_ms = clock_now_ms();
    const char *cause;

    if (!watchdog_due(&controls->watchdog, now_ms))
        return;
    cause = withheld(controls, now_ms);
    tell_withheld(controls, cause);
    if (cause) {
        count(controls, "withheld", cause);
    } else if (controls->feeding) {
        count(controls, "failed", "late");
    } else {
        controls->feeding = true;
        controls->on_feed(controls->self);
    }
}

void controls_fed(struct controls *controls, const char *failure)
{
    const char *before = controls->feed_failure;

    controls->feeding = false;
    count(controls, failure ? "failed" : "fed", failure);
    if (failure && !controls_device_is_there(controls))
        return; /* which is told already */
    controls->feed_failure = failure;
    if (failure && !before)
        log_warning("watchdog", "device=%s fed=no reason=%s", device_name(controls->device),
                    failure);
    else if (before && !failure)
        log_info("watchdog", "device=%s fed=yes", device_name(controls->device));
}

const char *controls_feed_failure(const struct controls *controls)
{
    return controls->feed_failure;
}
