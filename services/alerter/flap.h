/* Whether an alert comes and goes too often to be told each time. Pure.
 *
 * It flaps from the moment on at which the last `changes` changes lie within `window_ms`, until
 * nothing changed for `calm_ms`. */
#ifndef FLAP_H
#define FLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAP_CHANGES_MAX 16

struct flap_settings {
    int64_t changes; /* 2 to FLAP_CHANGES_MAX; 0: nothing ever flaps */
    int64_t window_ms;
    int64_t calm_ms;
};

struct flap {                        /* starts as `= {0}` */
    int64_t at_ms[FLAP_CHANGES_MAX]; /* wall clock of the last changes, the newest at the end */
    size_t n;
    bool on;
};

/* The alert fired or resolved. Returns whether it flaps from now on. */
bool flap_change(struct flap *flap, const struct flap_settings *settings, int64_t time_ms);

/* Returns whether it has come to rest with this. */
bool flap_settle(struct flap *flap, const struct flap_settings *settings, int64_t time_ms);

/* When flap_settle() would say so; INT64_MAX where it does not flap. */
int64_t flap_end_ms(const struct flap *flap, const struct flap_settings *settings);

#endif
