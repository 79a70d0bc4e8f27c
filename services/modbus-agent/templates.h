/* Device templates: what a type of device has, in a file of its own, DIRECTORY/NAME.json, with the
 * keys of a device but for where it is and what it is called. */
#ifndef TEMPLATES_H
#define TEMPLATES_H

#include "config.h"
#include "settings_groups.h"

#include <stddef.h>

struct templates {
    const char *directory;        /* borrowed */
    struct config *config;        /* owned; the file of the device that is being read, NULL: none */
    struct groups_shared **known; /* owned array, each borrowed: what other devices' files held */
    size_t n_known;
};

void templates_close(struct templates *templates);

/* Gives the node that has the device's groups and actuators: that of the file which "template"
 * names, or else the device's own. What is wrong with the file becomes a problem once it was read:
 * see templates_check(). Returns 0 or -ENOMEM. */
int templates_resolve(struct templates *templates, struct config_node *device,
                      struct config_node **out);

/* After the node was read: problems in the file become one of the device. */
void templates_check(struct templates *templates, struct config_node *device,
                     const struct config_node *resolved);

/* The groups that were made of the same file before, or NULL; and makes a note of them. A device
 * that says all by itself is never the same as another. The second returns 0 or -ENOMEM. */
struct groups_shared *templates_recall(const struct templates *templates,
                                       const struct config_node *resolved, uint64_t digest);
int templates_remember(struct templates *templates, const struct config_node *resolved,
                       struct groups_shared *groups);

/* After the device was read, and its settings hold no texts of the file. */
void templates_drop(struct templates *templates);

#endif
