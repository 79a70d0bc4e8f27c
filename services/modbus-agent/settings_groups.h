/* The groups of points of a device, as the configuration has them. Devices of one template have the
 * same ones: these are read once and shared, by whom is counted. */
#ifndef SETTINGS_GROUPS_H
#define SETTINGS_GROUPS_H

#include "settings.h"

struct groups_shared {
    unsigned users;
    uint64_t digest; /* of what they were made of */
    struct texts texts;
    struct group_settings *items; /* owned */
    size_t n;
};

/* What groups are made of: the device's or template's node, and the wire, which says how far it
 * pays to read along. */
uint64_t groups_digest(const struct endpoint *endpoint, const struct config_node *node);

/* Reads "groups" and the device's limits; what is wrong becomes a problem. Texts are copied. Gives
 * away what one groups_release() takes. Returns 0 or -ENOMEM. */
int groups_configure(struct groups_shared **out, const struct endpoint *endpoint,
                     struct config_node *node);
struct groups_shared *groups_share(struct groups_shared *groups); /* for one more user */
void groups_release(struct groups_shared *groups);                /* takes NULL */

/* A problem where a name is that of one of `n_others` before it, `stride` bytes apart. */
void settings_refuse_repeats(const char *name, const char *others, size_t stride, size_t n_others,
                             struct config_node *node);

#endif
