/* Which rules and derived values may meet on one device, as far as their patterns tell, whatever
 * devices there will be. Pure. */
#ifndef OVERLAP_H
#define OVERLAP_H

#include "settings.h"

/* Whether some name may match both patterns; may be wrong where both have a star inside. */
bool overlap_names(const char *a, const char *b);

bool overlap_scopes(const struct scope *a, const struct scope *b);

/* Whether `reader` selects or refers to `measurement` of a device that `writer` selects. */
bool overlap_reads(const struct scope *reader, const struct scope *writer, const char *measurement);

#endif
