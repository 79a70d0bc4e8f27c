#include "overlap.h"
#include "wildcard.h"

#include <string.h>

/* Two patterns with stars can be joined in the middle, so that only what stands before the first
 * star and after the last one can keep them apart. */
bool overlap_names(const char *a, const char *b)
{
    const char *star_a = strchr(a, '*'), *star_b = strchr(b, '*');
    if (!star_a || !star_b)
        return wildcard_matches(a, b) || wildcard_matches(b, a);
    size_t before = (size_t)(star_a - a), other_before = (size_t)(star_b - b);
    const char *end_a = strrchr(a, '*') + 1, *end_b = strrchr(b, '*') + 1;
    size_t after = strlen(end_a), other_after = strlen(end_b);
    if (other_before < before)
        before = other_before;
    if (other_after < after)
        after = other_after;
    return strncmp(a, b, before) == 0 &&
           strcmp(end_a + strlen(end_a) - after, end_b + strlen(end_b) - after) == 0;
}

bool overlap_scopes(const struct scope *a, const struct scope *b)
{
    return overlap_names(a->location, b->location) && overlap_names(a->device, b->device);
}

/* What a name that the pattern takes begins with; where there is no star, its end belongs to it. */
static size_t head(const char *pattern)
{
    size_t length = strcspn(pattern, "*");
    return pattern[length] == '*' ? length : length + 1;
}

int overlap_order(const struct overlap_place *a, const struct overlap_place *b)
{
    int order = strcmp(a->name, b->name);
    size_t n = head(a->device), other_n = head(b->device);
    if (order == 0)
        order = memcmp(a->device, b->device, n < other_n ? n : other_n);
    return order ? order : (n > other_n) - (n < other_n);
}

bool overlap_follows(const struct overlap_place *a, const struct overlap_place *b)
{
    size_t n = head(a->device);
    return strcmp(a->name, b->name) == 0 && n <= head(b->device) &&
           memcmp(a->device, b->device, n) == 0;
}

static bool refers(const struct scope *reader, const struct expression_reference *reference,
                   const struct scope *writer, const char *measurement)
{
    const char *location = reference->location[0] ? reference->location : reader->location;
    const char *device = reference->device[0] ? reference->device : reader->device;
    if (strcmp(measurement, reference->measurement) == 0)
        return overlap_names(writer->location, location) && overlap_names(writer->device, device);
    /* `a.b` may be the selected measurement of a device a. */
    return !reference->device[0] && reference->measurement[0] &&
           strcmp(measurement, reader->measurement) == 0 &&
           overlap_names(writer->location, location) &&
           overlap_names(writer->device, reference->measurement);
}

bool overlap_reads(const struct scope *reader, const struct scope *writer, const char *measurement)
{
    if (strcmp(measurement, reader->measurement) == 0 && overlap_scopes(writer, reader))
        return true;
    for (size_t i = 0; i < reader->references.n; i++)
        if (refers(reader, &reader->references.items[i], writer, measurement))
            return true;
    return false;
}
