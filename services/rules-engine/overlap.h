/* Which rules and derived values may meet on one device, as far as their patterns tell, whatever
 * devices there will be. Pure. */
#ifndef OVERLAP_H
#define OVERLAP_H

#include "settings.h"

/* Whether some name may match both patterns; may be wrong where both have a star inside. */
bool overlap_names(const char *a, const char *b);

bool overlap_scopes(const struct scope *a, const struct scope *b);

/* An order, as for qsort(), in which those that may meet follow each other: by a name that they
 * have to share, then by what stands in the device's pattern before its first star. */
struct overlap_place {
    const char *name, *device;
};
int overlap_order(const struct overlap_place *a, const struct overlap_place *b);
/* Whether `b`, which comes after `a`, may meet it: the first that does not ends the search. */
bool overlap_follows(const struct overlap_place *a, const struct overlap_place *b);

/* Whether `reader` selects or refers to `measurement` of a device that `writer` selects. */
bool overlap_reads(const struct scope *reader, const struct scope *writer, const char *measurement);

#endif
