/* What settings own, and what of them outlives a reload: a bus or a device of which nothing was
 * changed goes on with the settings it has. Pure. */
#ifndef SETTINGS_KEEP_H
#define SETTINGS_KEEP_H

#include "settings.h"

/* Replaces all texts that are borrowed from the configuration by copies, which go with the
 * settings. Return 0 or -ENOMEM. */
int bus_settings_own(struct bus_settings *bus);
int unit_settings_own(struct unit_settings *unit);

void bus_settings_free(struct bus_settings *bus); /* the struct too, and all its units */

/* Whether a bus is the same there. */
bool settings_has(const struct settings *settings, const struct bus_settings *bus);

/* What the device of the same name is there; NULL where there is none. */
const struct unit_settings *settings_find(const struct settings *settings,
                                          const struct unit_settings *unit);

/* Puts into `fresh` what of `old` is the same, and what it takes the place of into `old`: a whole
 * bus, or else the units of the bus with that URL. Both are as whole as before. No thread may read
 * a bus that is not the same. */
void settings_keep(struct settings *fresh, struct settings *old);

#endif
