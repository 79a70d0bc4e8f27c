/* A hash of texts that is the same on every machine: FNV-1a, 64 bits (Fowler, Noll, Vo;
 * draft-eastlake-fnv). Pure. */
#ifndef HASH_H
#define HASH_H

#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Of texts one after the other, each ended by a '/', which no name holds: begun with HASH_START. */
uint64_t hash_text(uint64_t hash, const char *text);

#endif
