/* What one actuator must not be told, whoever asks: values that are not allowed, changes that are
 * too fast, switching too often or too soon. And how long it may stay on. Pure: time passed in.
 *
 * "On" is true, or a number that is not 0. Times count from what the device was seen to hold, so a
 * change at the device itself counts too; after a start they count from that, and again from the
 * first time its value was known. What came before is not remembered. */
#ifndef GUARD_H
#define GUARD_H

#include "config.h"
#include "topic.h"
#include "value.h"

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

struct guard {
    const struct guard_settings *settings; /* borrowed */
    bool known;                            /* `on`, `number` and its time say something */
    bool on;
    int64_t since_ms; /* on or off; where that is not known, since the start */
    double number;
    int64_t number_ms; /* when it changed */
    int64_t starts_ms[GUARD_STARTS_MAX];
    size_t n_starts; /* ever; the last ones are kept */
};

void guard_init(struct guard *guard, const struct guard_settings *settings, int64_t now_ms);

bool guard_is_on(const struct value *value);

/* What the device holds, or must be assumed to hold. */
void guard_see(struct guard *guard, const struct value *held, int64_t now_ms);

/* The contract's reason why the device must not be set to `wanted` now, with a sentence in *why,
 * static; NULL where it may. What it holds already it may always be told again. */
const char *guard_refuse(const struct guard *guard, const struct value *wanted, int64_t now_ms,
                         const char **why);

/* When it will have been on for too long; INT64_MAX where that will not come. */
int64_t guard_expiry_ms(const struct guard *guard);

#endif
