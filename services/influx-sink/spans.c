#include "spans.h"

#include <string.h>

static void take_out(struct spans *spans, size_t i, size_t n)
{
    memmove(&spans->ahead[i], &spans->ahead[i + n], (spans->n - i - n) * sizeof(*spans->ahead));
    spans->n -= n;
}

static void go_on(struct spans *spans, uint64_t to)
{
    size_t n = 0;

    if (spans->done < to)
        spans->done = to;
    for (; n < spans->n && spans->ahead[n].from <= spans->done; n++)
        if (spans->done < spans->ahead[n].to)
            spans->done = spans->ahead[n].to;
    take_out(spans, 0, n);
}

static bool insert(struct spans *spans, size_t i, uint64_t from, uint64_t to)
{
    if (spans->n == SPANS_MAX)
        return false;
    memmove(&spans->ahead[i + 1], &spans->ahead[i], (spans->n++ - i) * sizeof(*spans->ahead));
    spans->ahead[i] = (struct lanes_range){from, to};
    return true;
}

bool spans_add(struct spans *spans, uint64_t from, uint64_t to)
{
    struct lanes_range *range;
    size_t i = 0, end;

    if (from <= spans->done) {
        go_on(spans, to);
        return true;
    }
    while (i < spans->n && spans->ahead[i].to < from)
        i++;
    for (end = i; end < spans->n && spans->ahead[end].from <= to;)
        end++;
    if (i == end)
        return insert(spans, i, from, to);
    range = &spans->ahead[i];
    range->from = range->from < from ? range->from : from;
    range->to = spans->ahead[end - 1].to > to ? spans->ahead[end - 1].to : to;
    take_out(spans, i + 1, end - i - 1);
    return true;
}

bool spans_has(const struct spans *spans, uint64_t record)
{
    size_t low = 0, high = spans->n;

    if (record < spans->done)
        return true;
    while (low < high) { /* the first range that ends after the record */
        size_t middle = low + (high - low) / 2;

        if (spans->ahead[middle].to <= record)
            low = middle + 1;
        else
            high = middle;
    }
    return low < spans->n && spans->ahead[low].from <= record;
}

uint64_t spans_count(const struct spans *spans)
{
    uint64_t n = spans->done;

    for (size_t i = 0; i < spans->n; i++)
        n += spans->ahead[i].to - spans->ahead[i].from;
    return n;
}

void spans_copy(struct spans *to, const struct spans *from)
{
    to->done = from->done;
    to->n = from->n;
    memcpy(to->ahead, from->ahead, from->n * sizeof(*from->ahead));
}
