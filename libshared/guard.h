/* What one actuator must not be told, whoever asks: values that are not allowed, changes that are
 * too fast, switching too often or too soon. And how long it may stay on. Pure: time passed in.
 *
 * "On" is true, or a number that is not 0. Times count from what the device was seen to hold, so a
 * change at the device itself counts too; after a start they count from that, and again from the
 * first time its value was known.
 *
 * What was before a restart of the agent may be restored. What is then found as it was left, is so
 * since it was left so, and its starts are counted on. What is found on has been on for at most as
 * long as the last change is ago that is known of, whichever way that went: for the longest on time
 * so much is assumed, since it may have been. What was left on and is not known to be off runs on.
 */
#ifndef GUARD_H
#define GUARD_H

#include "config.h"
#include "topic.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_ALLOWED_MAX 32
#define GUARD_STARTS_MAX 120 /* an hour */

struct guard_settings {
    struct value allowed[GUARD_ALLOWED_MAX]; /* texts are borrowed */
    size_t n_allowed;                        /* 0: every value */
    double step;                             /* counted from `origin`; 0: any */
    double origin;
    double max_rate; /* largest change a second; 0: any */
    int64_t min_on_ms;
    int64_t min_off_ms;
    int64_t max_on_ms;               /* 0: for ever */
    unsigned starts_per_hour;        /* 0: any */
    char exclusive[TOPIC_NAME_SIZE]; /* of this group one actuator of the device is on; or empty */
    const char *interlock;           /* interlock.h; borrowed; NULL: none */
};

/* Reads "allowed", "step", "max_rate", "min_on", "min_off", "max_on", "starts_per_hour",
 * "exclusive" and "interlock", as far as they make sense for the type. Steps count from `origin`.
 */
void guard_configure(struct guard_settings *out, struct config_node *node, enum value_type type,
                     double origin);

/* What is kept over a restart; times by the wall clock. */
struct guard_history {
    bool on;
    int64_t since_ms;                    /* on or off */
    int64_t starts_ms[GUARD_STARTS_MAX]; /* of the last hour, the oldest first */
    size_t n_starts;
};

struct guard {
    const struct guard_settings *settings; /* borrowed */
    bool known;                            /* `on`, `number` and its time say something */
    bool on;
    int64_t since_ms; /* on or off; where that is not known, since the start */
    int64_t on_ms;    /* the longest that it may have been on: since then */
    bool restored;    /* the two below say something */
    bool was_on;
    int64_t was_since_ms;
    double number;
    int64_t number_ms; /* when it changed */
    int64_t starts_ms[GUARD_STARTS_MAX];
    size_t n_starts; /* ever; the last ones are kept */
};

void guard_init(struct guard *guard, const struct guard_settings *settings, int64_t now_ms);

/* What an earlier process knew; before the first guard_see(). Where the clock stands before it, it
 * may have been on for ever, and switched just now. */
void guard_restore(struct guard *guard, const struct guard_history *history, int64_t now_ms,
                   int64_t time_ms);

/* False where nothing is known, or the settings have no limit that it would be for. */
bool guard_history(const struct guard *guard, struct guard_history *out, int64_t now_ms,
                   int64_t time_ms);

bool guard_is_on(const struct value *value);

/* What the device holds, or must be assumed to hold. Returns whether guard_history() changed. */
bool guard_see(struct guard *guard, const struct value *held, int64_t now_ms);

/* The contract's reason why the device must not be set to `wanted` now, with a sentence in *why,
 * static; NULL where it may. What it holds already it may always be told again. */
const char *guard_refuse(const struct guard *guard, const struct value *wanted, int64_t now_ms,
                         const char **why);

/* When it will have been on for too long; INT64_MAX where that will not come. */
int64_t guard_expiry_ms(const struct guard *guard);

#endif
