#include "lanes.h"

#include <string.h>

void lanes_init(struct lanes *lanes, uint64_t cursor)
{
    *lanes = (struct lanes){.next = cursor};
}

bool lanes_are_two(const struct lanes *lanes)
{
    return lanes->n > 0;
}

bool lanes_split(struct lanes *lanes, uint64_t end)
{
    uint64_t last = lanes->n > 0 ? lanes->ahead[lanes->n - 1].to : lanes->next;

    if (end <= last || lanes->n == LANES_RANGES_MAX)
        return false;
    lanes->ahead[lanes->n++] = (struct lanes_range){end, end};
    return true;
}

uint64_t lanes_limit(const struct lanes *lanes)
{
    return lanes->n > 0 ? lanes->ahead[0].from : UINT64_MAX;
}

bool lanes_took_old(struct lanes *lanes, uint64_t to)
{
    lanes->next = to;
    while (lanes->n > 0 && lanes->next >= lanes->ahead[0].from) {
        if (lanes->next < lanes->ahead[0].to)
            lanes->next = lanes->ahead[0].to;
        memmove(lanes->ahead, lanes->ahead + 1, --lanes->n * sizeof(*lanes->ahead));
    }
    return lanes->next > to;
}

uint64_t lanes_new(const struct lanes *lanes)
{
    return lanes->ahead[lanes->n - 1].to;
}

void lanes_took_new(struct lanes *lanes, uint64_t to)
{
    lanes->ahead[lanes->n - 1].to = to;
}
