/* What a device publishes, by name: what the conditions of its actuators may read. */
#ifndef FIELDS_H
#define FIELDS_H

#include "config.h"

#include <stddef.h>

struct field_name { /* both borrowed */
    const char *measurement;
    const char *name;
};

/* Starts as `= {0}`. */
struct fields {
    struct field_name *items; /* owned array */
    size_t n;
};
int fields_add(struct fields *fields, const char *measurement, const char *name); /* 0 or -ENOMEM */
void fields_free(struct fields *fields);

/* A problem at `key` where there is no such field, which names the one that may have been meant, or
 * those that there are. An empty measurement means whichever has the field. */
void fields_require(const struct fields *fields, const char *measurement, const char *name,
                    struct config_node *node, const char *key);

#endif
