/* When a device's own watchdog is fed. A device that has one takes its outputs to safe values by
 * itself where it is not fed for a time, which is set at the device: the last line of defence, for
 * an agent that was killed, a machine that froze, a cable that was pulled. Pure: time passed in.
 *
 * It is fed once a period while the agent's loop goes round and what it stands for is there: with
 * nothing more in the settings that is the agent alone; with "broker_lost", "controller_silent" and
 * "input_stale" (failsafe.h) and "safe_unconfirmed" also these, each after its time. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "config.h"
#include "failsafe.h"

struct watchdog_settings {
    int64_t period_ms;                /* 0: the device has none */
    struct failsafe_settings missing; /* what withholds the feed */
    int64_t safe_unconfirmed_ms; /* a safe value was owed to the device for so long; 0: never */
};

/* Reads "period" (1 s), "safe_unconfirmed" and what failsafe_configure_missing() does. */
void watchdog_configure(struct watchdog_settings *out, struct config_node *node);

struct watchdog {
    const struct watchdog_settings *settings; /* borrowed */
    struct failsafe missing;
    int64_t due_ms;
};

void watchdog_init(struct watchdog *watchdog, const struct watchdog_settings *settings,
                   int64_t now_ms);

/* Whether a period has begun, once for each; those that passed unseen are not made up for. */
bool watchdog_due(struct watchdog *watchdog, int64_t now_ms);

/* Why it must not be fed now, static ("broker_lost", "controller_silent", "input_stale",
 * "safe_unconfirmed"); NULL where it is to be. `owed_ms`: for how long a safe value has been
 * waiting to be confirmed, 0 where none is. */
const char *watchdog_withheld(struct watchdog *watchdog, const struct failsafe_signs *signs,
                              int64_t owed_ms, int64_t now_ms);

#endif
