#include "framing.h"

#include "utf8.h"

#include <string.h>

void framing_init(struct framing *framing, const char *ends, size_t max,
                  enum checksum_kind checksum)
{
    memset(framing, 0, sizeof *framing);
    framing->ends = ends;
    framing->max = max;
    framing->checksum = checksum;
}

void framing_abandon(struct framing *framing)
{
    if (framing->length == 0 || framing->skipping)
        return;
    framing->cut_lines++;
    framing->skipping = true;
}

void framing_reset(struct framing *framing)
{
    framing_abandon(framing);
    framing->length = 0;
    framing->skipping = false;
}

static uint64_t count_bad_bytes(const char *line, size_t length)
{
    uint64_t bad = 0;

    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)line[i];
        size_t width = utf8_length(line + i, length - i);

        if (width == 0 || (c < 0x20 && c != '\t') || c == 0x7F)
            bad++;
        i += width == 0 ? 1 : width;
    }
    return bad;
}

/* The line is at its end: whether it is one to hand on. */
static bool finish(struct framing *framing)
{
    bool skipped = framing->skipping;
    uint64_t bad;
    long length;

    framing->line[framing->length] = '\0';
    framing->skipping = false;
    if (skipped || framing->length == 0)
        return false;
    bad = count_bad_bytes(framing->line, framing->length);
    framing->bad_bytes += bad;
    framing->bad_lines += bad != 0;
    if (bad != 0)
        return false;
    length = checksum_check(framing->checksum, framing->line, framing->length);
    if (length < 0) {
        framing->bad_sums++;
        return false;
    }
    framing->line[length] = '\0';
    framing->lines++;
    return length > 0;
}

static void keep(struct framing *framing, char c)
{
    if (framing->skipping)
        return;
    if (framing->length == framing->max) {
        framing->skipping = true;
        framing->long_lines++;
        return;
    }
    framing->line[framing->length++] = c;
}

const char *framing_next(struct framing *framing, const char **bytes, size_t *size)
{
    while (*size > 0) {
        char c = *(*bytes)++;

        (*size)--;
        if (c == '\0' || !strchr(framing->ends, c)) {
            keep(framing, c);
            continue;
        }
        bool whole = finish(framing);
        framing->length = 0;
        if (whole)
            return framing->line;
    }
    return NULL;
}
