/* Patterns of names: '*' stands for any run of characters, '|' parts one pattern from the next, as
 * in "pump_*|valve_3". Pure. */
#ifndef WILDCARD_H
#define WILDCARD_H

#include <stdbool.h>

#define WILDCARD_MAX 256 /* characters of a valid one */

bool wildcard_matches(const char *pattern, const char *name);

/* Of a name's characters (contract, section 1), '*' and '|', and nowhere empty. */
bool wildcard_valid(const char *pattern);

#endif
