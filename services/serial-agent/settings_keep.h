/* What settings own, and what of them outlives a reload: a board of which nothing was changed goes
 * on with the settings it has. Pure. */
#ifndef SETTINGS_KEEP_H
#define SETTINGS_KEEP_H

#include "settings.h"

/* Replaces all texts that are borrowed from the configuration by copies, which go with the
 * settings. Returns 0 or -ENOMEM. */
int board_config_own(struct board_config *board);
void board_config_free(struct board_config *board); /* the struct too */

/* What the device of the same name is there; NULL where there is none. */
const struct board_config *settings_find(const struct settings *settings,
                                         const struct board_config *board);

/* Puts into `fresh` the boards of `old` that are the same, and what they take the place of into
 * `old`. Both are as whole as before. */
void settings_keep(struct settings *fresh, struct settings *old);

#endif
