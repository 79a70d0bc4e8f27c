/* One element of "targets" in the configuration. */
#ifndef TARGET_SETTINGS_H
#define TARGET_SETTINGS_H

#include "config.h"
#include "target.h"

/* `usual_name` is for one without a name. */
void target_settings_read(struct target_settings *target, struct config_node *node,
                          const char *usual_name);

#endif
