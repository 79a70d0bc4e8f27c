/* Device templates: what a type of device has, in a file of its own, DIRECTORY/NAME.json, with the
 * keys of a device but for where it is and what it is called. */
#ifndef TEMPLATES_H
#define TEMPLATES_H

#include "config.h"

#include <stddef.h>

/* The files that were read; they hold the texts that settings borrow. */
struct templates {
    const char *directory;   /* borrowed */
    struct config **configs; /* owned; starts as `= {0}` */
    size_t n;
};

/* Gives the node that has the device's groups and actuators: that of the file which "template"
 * names, or else the device's own. What is wrong with the file becomes a problem once it was read:
 * see templates_check(). Returns 0 or -ENOMEM. */
int templates_resolve(struct templates *templates, struct config_node *device,
                      struct config_node **out);

/* After the node was read: problems in the file become one of the device. */
void templates_check(struct templates *templates, struct config_node *device,
                     const struct config_node *resolved);
void templates_free(struct templates *templates);

#endif
