/* Which devices are this engine's, where several share the work: by a hash of location and device,
 * the same on every machine and in every release: FNV-1a (64 bits) of "location/device/", mixed by
 * MurmurHash3's finalizer, modulo the number of shards. Pure. */
#ifndef SHARD_H
#define SHARD_H

#include <stdbool.h>

#define SHARD_MAX 1024

struct shard {      /* `= {0}` owns all */
    unsigned index; /* from 0 */
    unsigned n;
};

/* "2/3" is the second of three. Returns 0 or -EINVAL. */
int shard_parse(struct shard *out, const char *text);

bool shard_owns(const struct shard *shard, const char *location, const char *device);

#endif
