#include "inquiry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ILLEGAL_ADDRESS 2 /* exception codes: specification, section 7 */
#define ILLEGAL_VALUE 3
#define NOT_ASKED (-ECANCELED)
#define FRUITLESS_MAX 12 /* 4,096 rounds */

static int replan(struct inquiry *inquiry)
{
    struct plan plan;
    int rc = plan_build(&plan, inquiry->spans, inquiry->group->n_points, &inquiry->limits);

    if (rc != 0)
        return rc;
    plan_free(&inquiry->plan);
    inquiry->plan = plan;
    return 0;
}

static void begin(struct inquiry *inquiry)
{
    inquiry->n_refusals = 0;
    for (size_t i = 0; i < inquiry->group->n_points; i++)
        inquiry->results[i] = NOT_ASKED;
}

int inquiry_open(struct inquiry *out, const struct group_settings *group, struct holes *holes)
{
    size_t n = group->n_points;

    *out = (struct inquiry){.group = group, .limits = group->limits, .holes = holes};
    out->limits.holes = holes;
    out->spans = calloc(n + 1, sizeof *out->spans);
    out->results = calloc(n + 1, sizeof *out->results);
    if (!out->spans || !out->results) {
        inquiry_close(out);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        out->spans[i] = group->points[i].span;
    if (replan(out) != 0) {
        inquiry_close(out);
        return -ENOMEM;
    }
    begin(out);
    return 0;
}

void inquiry_close(struct inquiry *inquiry)
{
    plan_free(&inquiry->plan);
    free(inquiry->refusals);
    free(inquiry->results);
    free(inquiry->spans);
    *inquiry = (struct inquiry){0};
}

static void deliver(const struct inquiry *inquiry, const struct plan_request *request, int result,
                    const uint16_t *answer, int *results, uint16_t *cells)
{
    for (size_t i = 0; i < request->n_points; i++) {
        size_t index = inquiry->plan.points[request->first_point + i];
        const struct group_point *point = &inquiry->group->points[index];

        results[index] = result;
        if (result == 0)
            memcpy(cells + point->first_cell,
                   answer + (point->span.address - request->span.address),
                   point->span.count * sizeof *cells);
    }
}

/* Takes note of a refusal and cuts the request where it can be cut. */
static bool refuse(struct inquiry *inquiry, size_t request)
{
    struct inquiry_refusal *refusals = inquiry->refusals;
    struct inquiry_refusal *refusal;

    if (!refusals) /* as many as the points can be cut into: most devices refuse nothing */
        refusals = calloc(2 * inquiry->group->n_points + 1, sizeof *refusals);
    if (!refusals)
        return false;
    inquiry->refusals = refusals;
    refusal = &refusals[inquiry->n_refusals];
    *refusal = (struct inquiry_refusal){.whole = inquiry->plan.requests[request].span};
    refusal->hole = refusal->whole;
    if (inquiry->patience > 0)
        return false;
    inquiry->n_refusals++;
    refusal->single = plan_split(&inquiry->plan, inquiry->spans, request, &refusal->hole) != 0;
    return !refusal->single;
}

bool inquiry_take(struct inquiry *inquiry, size_t request, int result, const uint16_t *answer,
                  int *results, uint16_t *cells)
{
    deliver(inquiry, &inquiry->plan.requests[request], result, answer, results, cells);
    if ((result == ILLEGAL_ADDRESS || result == ILLEGAL_VALUE) && refuse(inquiry, request))
        return true;
    inquiry->results[request] = result;
    return false;
}

/* Whether some, or else all, of the requests within a span were good. */
static bool good(const struct inquiry *inquiry, const struct span *whole, bool all)
{
    for (size_t i = 0; i < inquiry->plan.n_requests; i++)
        if (span_covers(whole, &inquiry->plan.requests[i].span) &&
            (inquiry->results[i] == 0) != all)
            return !all;
    return all;
}

/* The refusals that were not cut out of another one are the requests as they were planned. */
static const struct inquiry_refusal *root_of(const struct inquiry *inquiry,
                                             const struct inquiry_refusal *part)
{
    for (size_t i = 0; i < inquiry->n_refusals; i++)
        if (span_covers(&inquiry->refusals[i].whole, &part->whole))
            return &inquiry->refusals[i]; /* the first is the outermost */
    return part;
}

/* Whether a part of it was refused, which explains why it was itself. */
static bool has_refused_part(const struct inquiry *inquiry, const struct inquiry_refusal *refusal)
{
    for (size_t i = 0; i < inquiry->n_refusals; i++)
        if (&inquiry->refusals[i] != refusal &&
            span_covers(&refusal->whole, &inquiry->refusals[i].whole))
            return true;
    return false;
}

static bool teaches(const struct inquiry *inquiry, const struct inquiry_refusal *refusal)
{
    const struct inquiry_refusal *root = root_of(inquiry, refusal);

    if (refusal->single)
        return good(inquiry, &root->whole, false);
    return good(inquiry, &refusal->whole, true) && !has_refused_part(inquiry, refusal);
}

bool inquiry_end(struct inquiry *inquiry)
{
    size_t before = inquiry->holes->n;
    bool cut = false;

    for (size_t i = 0; i < inquiry->n_refusals; i++) {
        const struct inquiry_refusal *refusal = &inquiry->refusals[i];

        cut = cut || !refusal->single;
        if (teaches(inquiry, refusal))
            holes_add(inquiry->holes, &refusal->hole); /* else it is learnt another time */
    }
    if (inquiry->patience > 0)
        inquiry->patience--;
    if (cut) {
        bool fruitless = inquiry->holes->n == before;

        inquiry->fruitless =
            fruitless ? inquiry->fruitless + (inquiry->fruitless < FRUITLESS_MAX) : 0;
        inquiry->patience = fruitless ? 1u << inquiry->fruitless : 0;
        replan(inquiry); /* else the parts stay */
    }
    begin(inquiry);
    return inquiry->holes->n > before;
}
