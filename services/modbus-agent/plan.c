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

/* Makes the request take the point along where the gap and the limit allow it. */
static bool extend(struct span *request, const struct span *point, const struct plan_limits *limits)
{
    unsigned end = span_end(point) > span_end(request) ? span_end(point) : span_end(request);

    if (request->table != point->table || point->address > span_end(request) + limits->max_gap)
        return false;
    if (end - request->address > limit_of(limits, point->table))
        return false;
    request->count = end - request->address;
    return true;
}

static void lay_out(struct plan *plan, const struct placed *placed, size_t n)
{
    for (size_t i = 0; i < plan->n_requests; i++) {
        plan->requests[i].first_cell = plan->n_cells;
        plan->n_cells += plan->requests[i].span.count;
    }
    for (size_t i = 0; i < n; i++) {
        const struct plan_request *request = &plan->requests[plan->request_of[placed[i].point]];

        plan->cell_of[placed[i].point] =
            request->first_cell + placed[i].span.address - request->span.address;
    }
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
            plan->requests[plan->n_requests++].span = *span;
        plan->request_of[placed[i].point] = plan->n_requests - 1;
    }
    lay_out(plan, placed, n);
    return 0;
}

int plan_build(struct plan *out, const struct span *points, size_t n_points,
               const struct plan_limits *limits)
{
    struct placed *placed = calloc(n_points + 1, sizeof *placed);
    int rc = -ENOMEM;

    *out = (struct plan){
        .requests = calloc(n_points + 1, sizeof *out->requests),
        .request_of = calloc(n_points + 1, sizeof *out->request_of),
        .cell_of = calloc(n_points + 1, sizeof *out->cell_of),
    };
    if (placed && out->requests && out->request_of && out->cell_of) {
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
    free(plan->request_of);
    free(plan->cell_of);
    *plan = (struct plan){0};
}
