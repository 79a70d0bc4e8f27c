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

/* The high bits are the well-mixed ones. */
bool shard_owns(const struct shard *shard, const char *location, const char *device)
{
    if (shard->n <= 1)
        return true;
    uint64_t hash = hash_text(hash_text(HASH_START, location), device);
    return (hash >> 32) % shard->n == shard->index;
}
