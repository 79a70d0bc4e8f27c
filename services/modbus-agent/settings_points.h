/* The parts of the settings that name places in a device's tables: points and actuators. */
#ifndef SETTINGS_POINTS_H
#define SETTINGS_POINTS_H

#include "settings.h"

/* Each reads one object of the file and records what is wrong in the configuration. The first
 * returns 0 or -ENOMEM. */
int group_point_configure(struct group_point *out, struct config_node *node);
void output_configure(struct output *out, struct actuator_settings *actuator,
                      struct config_node *node);

/* What the conditions of the actuators and of the watchdog read and no group does is a problem:
 * they would never hold, or never be missed. Returns 0 or -ENOMEM. */
int settings_check_conditions(const struct unit_settings *unit, struct config_node *node);

#endif
