/* What an actuator may be told: its type, limits and fail-safe value, from the configuration. Pure.
 */
#ifndef ACTUATOR_SETTINGS_H
#define ACTUATOR_SETTINGS_H

#include "config.h"
#include "failsafe.h"
#include "guard.h"
#include "texts.h"
#include "topic.h"
#include "value.h"

enum actuator_type { ACTUATOR_BOOL, ACTUATOR_NUMBER, ACTUATOR_TEXT };

struct actuator_settings {
    char name[TOPIC_NAME_SIZE];
    enum actuator_type type;
    const char *unit;  /* borrowed; NULL where none */
    double min, max;   /* numbers; ±INFINITY where not limited */
    struct value safe; /* VALUE_NONE where none is declared, or "hold" */
    bool has_safe;     /* a value or "hold" */
    bool dry_run;      /* everything but the write */
    struct guard_settings guard;
    struct failsafe_settings fail_safe;
};

/* Reads "name", "type", "unit", "min", "max", "safe", "dry_run", "guard" and
 * "fail_safe". */
void actuator_configure(struct actuator_settings *out, struct config_node *node);

/* The same without "type", for agents that know it from a type of their own. */
void actuator_configure_typed(struct actuator_settings *out, struct config_node *node,
                              enum actuator_type type);

/* What its conditions read and the device does not have is a problem: to be called once it is known
 * what the device has. */
void actuator_check(const struct actuator_settings *settings, const struct fields *fields,
                    struct config_node *node);

/* Replaces what is borrowed from the configuration by copies among `texts`. */
void actuator_own(struct actuator_settings *settings, struct texts *texts);

/* The value as the actuator's type wants it; a text stays borrowed. Returns NULL, or the contract's
 * reason why it cannot be: "bad_value", or "out_of_range" with `out` set all the same. */
const char *actuator_convert(const struct actuator_settings *settings, const struct value *from,
                             struct value *out);

#endif
