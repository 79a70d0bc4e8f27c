#include "tzif.h"

#include "tzif_rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE 44
#define TYPE_SIZE 6 /* offset, whether it is summer time, place of the name */

/* RFC 8536, section 3.1. */
struct counts {
    uint32_t is_utc, is_standard, leaps, times, types, chars;
};

struct tzif {
    unsigned char *data;        /* owned copy; the rest points into it */
    const unsigned char *times; /* of transitions, 8 bytes each */
    const unsigned char *kinds; /* the type that each begins, a byte each */
    const unsigned char *types;
    const char *names;
    struct counts n;
    bool has_rule;
    struct tzif_rule rule;
};

static uint32_t read_32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_64(const unsigned char *at)
{
    return (int64_t)((uint64_t)read_32(at) << 32 | read_32(at + 4));
}

/* A header at the offset. Returns 0 or -EBADMSG. */
static int read_header(const unsigned char *data, size_t size, size_t offset, struct counts *out)
{
    const unsigned char *at = data + offset;

    if (size < offset + HEADER_SIZE || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return -EBADMSG;
    *out = (struct counts){read_32(at + 20), read_32(at + 24), read_32(at + 28),
                           read_32(at + 32), read_32(at + 36), read_32(at + 40)};
    /* So that sums of sizes stay small. */
    return out->is_utc > size || out->is_standard > size || out->leaps > size ||
                   out->times > size || out->types > size || out->chars > size
               ? -EBADMSG
               : 0;
}

/* Bytes of what follows the header, with times of so many bytes. */
static size_t block_size(const struct counts *n, size_t time_size)
{
    return (size_t)n->times * (time_size + 1) + (size_t)n->types * TYPE_SIZE + n->chars +
           (size_t)n->leaps * (time_size + 4) + n->is_standard + n->is_utc;
}

static int check_types(const struct tzif *tzif)
{
    if (tzif->n.types == 0 || tzif->n.chars == 0 || tzif->n.leaps > 0 ||
        tzif->names[tzif->n.chars - 1] != '\0')
        return -EBADMSG;
    for (uint32_t i = 0; i < tzif->n.types; i++)
        if (tzif->types[i * TYPE_SIZE + 5] >= tzif->n.chars)
            return -EBADMSG;
    for (uint32_t i = 0; i < tzif->n.times; i++)
        if (tzif->kinds[i] >= tzif->n.types ||
            (i > 0 && read_64(tzif->times + 8 * i) <= read_64(tzif->times + 8 * (i - 1))))
            return -EBADMSG;
    return 0;
}

/* "\nCET-1CEST,…\n"; nothing between where there is no rule. */
static int read_footer(struct tzif *tzif, const unsigned char *at, size_t size)
{
    if (size < 2 || at[0] != '\n' || at[size - 1] != '\n')
        return -EBADMSG;
    tzif->has_rule = size > 2;
    return tzif->has_rule ? tzif_rule_parse(&tzif->rule, (const char *)at + 1, size - 2) : 0;
}

/* The first block, of version 1, has times of 32 bits and is passed over. */
static int read_all(struct tzif *tzif, size_t size)
{
    struct counts first;
    size_t offset, end;

    if (read_header(tzif->data, size, 0, &first) < 0)
        return -EBADMSG;
    offset = HEADER_SIZE + block_size(&first, 4);
    if (read_header(tzif->data, size, offset, &tzif->n) < 0)
        return -EBADMSG;
    offset += HEADER_SIZE;
    end = offset + block_size(&tzif->n, 8);
    if (end > size)
        return -EBADMSG;
    tzif->times = tzif->data + offset;
    tzif->kinds = tzif->times + 8 * (size_t)tzif->n.times;
    tzif->types = tzif->kinds + tzif->n.times;
    tzif->names = (const char *)tzif->types + TYPE_SIZE * (size_t)tzif->n.types;
    return check_types(tzif) < 0 ? -EBADMSG : read_footer(tzif, tzif->data + end, size - end);
}

int tzif_open(struct tzif **out, const void *data, size_t size)
{
    struct tzif *tzif = calloc(1, sizeof *tzif);
    int rc = -ENOMEM;

    if (tzif)
        tzif->data = malloc(size + 1);
    if (tzif && tzif->data) {
        memcpy(tzif->data, data, size);
        rc = read_all(tzif, size);
    }
    if (rc < 0) {
        tzif_close(tzif);
        return rc;
    }
    *out = tzif;
    return 0;
}

void tzif_close(struct tzif *tzif)
{
    if (!tzif)
        return;
    free(tzif->data);
    free(tzif);
}

static struct tzif_offset offset_of(const struct tzif *tzif, size_t type)
{
    const unsigned char *at = tzif->types + type * TYPE_SIZE;

    return (struct tzif_offset){(int32_t)read_32(at), tzif->names + at[5]};
}

/* Before the first transition it is the first type; after the last one, the rule's. */
struct tzif_offset tzif_at(const struct tzif *tzif, int64_t seconds)
{
    size_t low = 0, high = tzif->n.times; /* the first transition that is later */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (read_64(tzif->times + 8 * middle) <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == tzif->n.times && tzif->has_rule)
        return tzif_rule_at(&tzif->rule, seconds);
    return offset_of(tzif, low > 0 ? tzif->kinds[low - 1] : 0);
}
