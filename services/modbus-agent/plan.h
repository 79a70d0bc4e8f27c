/* From points to requests: which stretches of a device's tables to read so that every point is had
 * with few requests. Pure. */
#ifndef PLAN_H
#define PLAN_H

#include "table.h"

#include <stddef.h>

struct plan_limits {
    unsigned max_gap; /* cells between two points that are read along rather than asked apart */
    unsigned max_registers; /* of one request: at most TABLE_REGISTERS_MAX */
    unsigned max_bits;      /* of one request: at most TABLE_BITS_MAX */
};

struct plan_request {
    struct span span;
    size_t first_cell; /* where its answer begins in the cells of the plan */
};

/* The answers of all requests, one behind the other, are the plan's cells. */
struct plan {
    struct plan_request *requests; /* owned; by table, then by address */
    size_t n_requests;
    size_t n_cells;
    size_t *request_of; /* owned; for each point the request that covers it… */
    size_t *cell_of;    /* owned; …and its first cell */
};

/* Each point lies whole in exactly one request. Returns 0; -E2BIG where a point alone is over a
 * limit; -ENOMEM. */
int plan_build(struct plan *out, const struct span *points, size_t n_points,
               const struct plan_limits *limits);
void plan_free(struct plan *plan);

#endif
