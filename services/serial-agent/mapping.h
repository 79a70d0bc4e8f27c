/* Names for what a board calls its values: {"ON": "1", "OFF": "0"}. Pure, but for
 * mapping_configure(). */
#ifndef MAPPING_H
#define MAPPING_H

#include "actuator_settings.h"
#include "config.h"
#include "value.h"

#define MAPPING_MAX 32

struct mapping {
    size_t n;
    struct value names[MAPPING_MAX]; /* as the actuator's type wants them; texts borrowed */
    const char *saids[MAPPING_MAX];  /* borrowed */
};

/* Reads the object "values" of the node; without it the mapping is empty. A name that is no value
 * of the actuator's type, or is there twice, is a problem. */
void mapping_configure(struct mapping *out, struct config_node *node,
                       const struct actuator_settings *actuator);

/* What the board calls `value`: `value` itself where the mapping is empty, VALUE_NONE where it has
 * no name for it. */
struct value mapping_say(const struct mapping *mapping, const struct value *value);

/* What is meant by what the board said: `said` itself where the mapping does not know it. */
struct value mapping_hear(const struct mapping *mapping, const struct value *said);

#endif
