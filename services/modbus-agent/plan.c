#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct placed {
    struct span span;
    size_t point;
};

static int by_address(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;

    if (a->span.table != b->span.table)
        return a->span.table < b->span.table ? -1 : 1;
    return (a->span.address > b->span.address) - (a->span.address < b->span.address);
}

static unsigned limit_of(const struct plan_limits *limits, enum table table)
{
    return table_is_bits(table) ? limits->max_bits : limits->max_registers;
}

static unsigned gap_of(const struct plan_limits *limits, enum table table)
{
    return table_is_bits(table) ? limits->max_gap_bits : limits->max_gap_registers;
}

static unsigned later(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* Makes the request take the point along where gap, limit and holes allow it. */
static bool extend(struct span *request, const struct span *point, const struct plan_limits *limits)
{
    struct span both = *request;

    both.count = later(span_end(point), span_end(request)) - request->address;
    if (request->table != point->table ||
        point->address > span_end(request) + gap_of(limits, point->table))
        return false;
    if (both.count > limit_of(limits, point->table))
        return false;
    if (limits->holes && holes_crossed(limits->holes, &both))
        return false;
    *request = both;
    return true;
}

static int group(struct plan *plan, struct placed *placed, size_t n,
                 const struct plan_limits *limits)
{
    qsort(placed, n, sizeof *placed, by_address);
    for (size_t i = 0; i < n; i++) {
        const struct span *span = &placed[i].span;

        if (span->count > limit_of(limits, span->table))
            return -E2BIG;
        if (!plan->n_requests || !extend(&plan->requests[plan->n_requests - 1].span, span, limits))
            plan->requests[plan->n_requests++] =
                (struct plan_request){.span = *span, .first_point = i};
        plan->requests[plan->n_requests - 1].n_points++;
        plan->points[i] = placed[i].point;
    }
    return 0;
}

int plan_build(struct plan *out, const struct span *points, size_t n_points,
               const struct plan_limits *limits)
{
    struct placed *placed = calloc(n_points + 1, sizeof *placed);
    int rc = -ENOMEM;

    *out = (struct plan){
        .requests = calloc(n_points + 1, sizeof *out->requests),
        .points = calloc(n_points + 1, sizeof *out->points),
    };
    if (placed && out->requests && out->points) {
        for (size_t i = 0; i < n_points; i++)
            placed[i] = (struct placed){points[i], i};
        rc = group(out, placed, n_points, limits);
    }
    free(placed);
    if (rc != 0)
        plan_free(out);
    return rc;
}

void plan_free(struct plan *plan)
{
    free(plan->requests);
    free(plan->points);
    *plan = (struct plan){0};
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

/* The number of points left of the best cut; 0 where there is none. */
static size_t find_cut(const struct plan *plan, const struct plan_request *request,
                       const struct span *points, struct span *gap)
{
    const size_t *member = plan->points + request->first_point;
    unsigned end = span_end(&points[member[0]]);
    size_t middle = request->n_points / 2;
    size_t best = 0;

    for (size_t i = 1; i < request->n_points; i++) {
        const struct span *next = &points[member[i]];

        if (next->address >= end) {
            unsigned width = next->address - end;

            if (!best || width > gap->count ||
                (width == gap->count && distance(i, middle) < distance(best, middle))) {
                best = i;
                *gap = (struct span){next->table, end, width};
            }
        }
        end = later(end, span_end(next));
    }
    return best;
}

int plan_split(struct plan *plan, const struct span *points, size_t request, struct span *gap)
{
    struct plan_request *left = &plan->requests[request];
    struct plan_request *right = left + 1;
    size_t cut = find_cut(plan, left, points, gap);
    unsigned end = span_end(&left->span);

    if (cut == 0)
        return -ENOENT;
    /* There is room for a request a point. */
    memmove(right, left, (plan->n_requests++ - request) * sizeof *right);
    left->n_points = cut;
    left->span.count = gap->address - left->span.address;
    right->first_point += cut;
    right->n_points -= cut;
    right->span.address = span_end(gap);
    right->span.count = end - right->span.address;
    return 0;
}
