/* From points to requests: which stretches of a device's tables to read so that every point is had
 * with few requests. Pure. */
#ifndef PLAN_H
#define PLAN_H

#include "holes.h"
#include "table.h"

#include <stddef.h>

struct plan_limits {
    unsigned max_gap_registers; /* cells between two points that are read along, not asked apart */
    unsigned max_gap_bits;
    unsigned max_registers;    /* of one request: at most TABLE_REGISTERS_MAX */
    unsigned max_bits;         /* of one request: at most TABLE_BITS_MAX */
    const struct holes *holes; /* borrowed; none of them is reached over; NULL: there are none */
};

struct plan_request {
    struct span span;
    size_t first_point; /* its points begin here in the plan's… */
    size_t n_points;
};

struct plan {
    struct plan_request *requests; /* owned; by table, then by address */
    size_t n_requests;
    size_t *points; /* owned; the points of all requests, in the order of their addresses */
};

/* Each point lies whole in exactly one request. Returns 0; -E2BIG where a point alone is over a
 * limit; -ENOMEM. */
int plan_build(struct plan *out, const struct span *points, size_t n_points,
               const struct plan_limits *limits);
void plan_free(struct plan *plan);

/* Makes two of a request, cut at the widest gap between its points, nearest the middle; `gap` is
 * what lies between the two. Returns 0, or -ENOENT where it is all one piece. */
int plan_split(struct plan *plan, const struct span *points, size_t request, struct span *gap);

#endif
