/* The routing tree, as the configuration describes it. */
#ifndef ROUTE_SETTINGS_H
#define ROUTE_SETTINGS_H

#include "settings.h"

/* Reads "route" of the root; channels and quiet hours are read already. Problems are the
 * configuration's. Returns 0 or -ENOMEM. */
int route_settings_configure(struct settings *settings, struct config_node *root);

/* Reads an object of patterns, {"severity":"*","device":"pump_*"}. */
void match_settings_configure(struct match *match, struct config_node *node);

/* Reads an array of "location", "device", "rule", "severity" as ROUTE_BY_…; `fallback` where it is
 * absent. */
unsigned labels_settings_configure(struct config_node *node, const char *key, unsigned fallback);

#endif
