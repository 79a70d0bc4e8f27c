/* Rules that get in each other's way, as far as their patterns tell. Each finding is appended to
 * `out` as a line "warning: …", CONFLICT_MAX of a kind at most and then their number. Pure. */
#ifndef CONFLICT_H
#define CONFLICT_H

#include "buffer.h"
#include "settings.h"

#define CONFLICT_MAX 50

/* Two rules that may give one actuator different values. Returns how many such pairs; without
 * memory `out->failed`. */
size_t conflict_fights(const struct settings *settings, struct buffer *out);

/* Rules whose published readings feed themselves, also by way of others and of derived values.
 * Commands that come back as readings are control, and no loop here. Returns how many;
 * without memory `out->failed`. */
size_t conflict_loops(const struct settings *settings, struct buffer *out);

#endif
