#include "shard.h"
#include "hash.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

int shard_parse(struct shard *out, const char *text)
{
    unsigned index, n;
    char end;
    if (sscanf(text, "%4u/%4u%c", &index, &n, &end) != 2 || n < 1 || n > SHARD_MAX || index < 1 ||
        index > n)
        return -EINVAL;
    *out = (struct shard){.index = index - 1, .n = n};
    return 0;
}

/* The finalizer of MurmurHash3 (Austin Appleby, public domain): without it devices whose names
 * differ in the last figure only would mostly be of one shard. */
static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

bool shard_owns(const struct shard *shard, const char *location, const char *device)
{
    if (shard->n <= 1)
        return true;
    uint64_t hash = hash_text(hash_text(UINT64_C(0xcbf29ce484222325), location), device);
    return mix(hash) % shard->n == shard->index;
}
