/* "include": ["rules/greenhouse.json"], or a pattern: further files of rules and derived values,
 * each a configuration of its own with nothing else in it. */
#ifndef INCLUDE_H
#define INCLUDE_H

#include "config.h"

#include <stddef.h>

struct include {             /* starts as `= {0}` */
    struct config **configs; /* owned, in the order in which they are named */
    size_t n;
};

/* Opens what `root` includes; paths count from its own file's directory and may hold '*' and '?'.
 * Names are sorted. A pattern that finds nothing is a problem. Returns 0 or -ENOMEM. */
int include_open(struct include *include, struct config_node *root);

/* Makes the problems of the files problems of `root`, after all was read. */
void include_check(const struct include *include, struct config_node *root);

/* What was read from the files ends with it. */
void include_close(struct include *include);

#endif
