/* What a store says of the type that a field has already: InfluxDB 1.x and 2.x,
 *     … field type conflict: input field "n" on measurement "m" is type string, already exists as
 *     type float …
 * (tsdb/store.go of its source). Pure. */
#ifndef CONFLICT_H
#define CONFLICT_H

#include "field_types.h"

/* Takes the store's word for it. True where that is news. */
bool conflict_learn(struct field_types *types, const char *words);

#endif
