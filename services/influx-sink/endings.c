#include "endings.h"

#include <string.h>

void endings_init(struct endings *endings, uint64_t cursor)
{
    endings->done = cursor;
    endings->n = 0;
}

static void insert(struct endings *endings, size_t i)
{
    memmove(&endings->ranges[i + 1], &endings->ranges[i],
            (endings->n++ - i) * sizeof(*endings->ranges));
}

static void take_out(struct endings *endings, size_t i)
{
    memmove(&endings->ranges[i], &endings->ranges[i + 1],
            (--endings->n - i) * sizeof(*endings->ranges));
}

void endings_add(struct endings *endings, uint64_t from, uint64_t to, const struct outcome *outcome)
{
    struct ending *range = endings->ranges;
    size_t i = 0;

    while (i < endings->n && range->to < from) {
        range++;
        i++;
    }
    if (i == endings->n || range->from > to) {
        insert(endings, i);
        *range = (struct ending){from, to, *outcome};
        return;
    }
    outcome_merge(&range->outcome, outcome);
    if (to == range->from) {
        range->from = from;
        return;
    }
    range->to = to;
    if (i + 1 < endings->n && range[1].from == to) {
        outcome_merge(&range->outcome, &range[1].outcome);
        range->to = range[1].to;
        take_out(endings, i + 1);
    }
}

bool endings_wait(const struct endings *endings)
{
    return endings->n > 0 && endings->ranges[0].from == endings->done;
}

uint64_t endings_settle(struct endings *endings)
{
    if (endings_wait(endings)) {
        endings->done = endings->ranges[0].to;
        outcome_settle(&endings->ranges[0].outcome, endings->done);
        take_out(endings, 0);
    }
    return endings->done;
}
