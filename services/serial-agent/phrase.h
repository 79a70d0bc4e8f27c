/* The line that tells a board to write a value: "LED,{pin},{ON|OFF}". Pure, but for
 * phrase_configure(). */
#ifndef PHRASE_H
#define PHRASE_H

#include "actuator_settings.h"
#include "config.h"
#include "value.h"

#define PHRASE_SIZE 256 /* bytes of a phrase or a line made of it, NUL included */

struct phrase {
    char text[PHRASE_SIZE]; /* with {value} or {on|off} in it, everything else filled in */
};

/* Reads the string at `key` and fills in each {name} from the node's own key of that name. What
 * fits no value of the actuator's type is a problem. */
void phrase_configure(struct phrase *out, struct config_node *node, const char *key,
                      enum actuator_type type);

/* {value}: the number or text as it is, a boolean as 1 or 0. {A|B}: A for true, B for false.
 * Returns 0, -EINVAL where the value does not fit the phrase, -EMSGSIZE. */
int phrase_render(const struct phrase *phrase, const struct value *value, char out[PHRASE_SIZE]);

#endif
