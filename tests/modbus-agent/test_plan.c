/* plan.c: examples, and a property over random maps. */
#include "plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct plan_limits usual = {.max_registers = TABLE_REGISTERS_MAX,
                                         .max_bits = TABLE_BITS_MAX};

/* "input 0+10 coil 4+1": the requests as a text, to be compared whole. */
static void describe(const struct plan *plan, char *out, size_t size)
{
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < plan->n_requests; i++) {
        const struct span *span = &plan->requests[i].span;

        length += (size_t)snprintf(out + length, size - length, "%s%s %u+%u", i ? ", " : "",
                                   table_names[span->table], span->address, span->count);
    }
}

static void assert_plan(const struct span *points, size_t n, const struct plan_limits *limits,
                        const char *expected)
{
    struct plan plan;
    char text[512];

    assert_int_equal(plan_build(&plan, points, n, limits), 0);
    describe(&plan, text, sizeof text);
    assert_string_equal(text, expected);
    plan_free(&plan);
}

static void joins_neighbours_of_one_table(void **state)
{
    const struct span points[] = {{TABLE_INPUT, 4, 1}, {TABLE_INPUT, 0, 2}, {TABLE_INPUT, 2, 2},
                                  {TABLE_COIL, 1, 1},  {TABLE_COIL, 0, 1},  {TABLE_HOLDING, 5, 1}};

    (void)state;
    assert_plan(points, 6, &usual, "coil 0+2, input 0+5, holding 5+1");
}

static void crosses_gaps_only_as_far_as_allowed(void **state)
{
    const struct span points[] = {{TABLE_INPUT, 0, 1}, {TABLE_INPUT, 3, 1}, {TABLE_INPUT, 7, 1}};
    struct plan_limits limits = usual;

    (void)state;
    assert_plan(points, 3, &limits, "input 0+1, input 3+1, input 7+1");
    limits.max_gap_registers = 2;
    assert_plan(points, 3, &limits, "input 0+4, input 7+1");
    limits.max_gap_registers = 3;
    assert_plan(points, 3, &limits, "input 0+8");
}

static void keeps_to_the_limits(void **state)
{
    struct span points[130];
    struct plan_limits limits = usual;

    (void)state;
    for (unsigned i = 0; i < 130; i++)
        points[i] = (struct span){TABLE_HOLDING, i, 1};
    assert_plan(points, 130, &limits, "holding 0+125, holding 125+5");
    limits.max_registers = 100;
    assert_plan(points, 130, &limits, "holding 0+100, holding 100+30");
    for (unsigned i = 0; i < 130; i++)
        points[i].table = TABLE_DISCRETE;
    assert_plan(points, 130, &limits, "discrete 0+130");
    limits.max_bits = 64;
    assert_plan(points, 130, &limits, "discrete 0+64, discrete 64+64, discrete 128+2");
}

static void does_not_tear_a_value_apart(void **state)
{
    const struct span points[] = {{TABLE_INPUT, 0, 2}, {TABLE_INPUT, 2, 2}, {TABLE_INPUT, 4, 4}};
    struct plan_limits limits = usual;

    (void)state;
    limits.max_registers = 5;
    assert_plan(points, 3, &limits, "input 0+4, input 4+4");
}

static void lets_points_overlap(void **state)
{
    const struct span points[] = {
        {TABLE_HOLDING, 10, 4}, {TABLE_HOLDING, 11, 1}, {TABLE_HOLDING, 10, 4}};

    (void)state;
    assert_plan(points, 3, &usual, "holding 10+4");
}

static void reaches_the_last_address(void **state)
{
    const struct span points[] = {{TABLE_HOLDING, 65535, 1}, {TABLE_HOLDING, 65534, 1}};

    (void)state;
    assert_plan(points, 2, &usual, "holding 65534+2");
}

static void refuses_a_point_over_the_limit(void **state)
{
    const struct span point = {TABLE_HOLDING, 0, 20};
    struct plan_limits limits = usual;
    struct plan plan;

    (void)state;
    limits.max_registers = 19;
    assert_int_equal(plan_build(&plan, &point, 1, &limits), -E2BIG);
}

/* Numbers that are the same for the same seed on every machine: xorshift64 (Marsaglia, 2003). */
static unsigned draw(uint64_t *state, unsigned below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state >> 11) % below;
}

static struct span random_span(uint64_t *random, const struct plan_limits *limits)
{
    struct span span = {.table = (enum table)draw(random, 4), .count = 1};
    /* Now a dense map, now one all over the table. */
    unsigned range = draw(random, 2) ? 300 : TABLE_SIZE;

    if (!table_is_bits(span.table))
        span.count = 1 + draw(random, limits->max_registers < 8 ? limits->max_registers : 8);
    span.address = draw(random, range - span.count + 1);
    return span;
}

static void check(const struct plan *plan, const struct span *points, size_t n,
                  const struct plan_limits *limits)
{
    unsigned seen[200] = {0};

    for (size_t i = 0; i < plan->n_requests; i++) {
        const struct plan_request *request = &plan->requests[i];
        const struct span *span = &request->span;

        assert_in_range(span->count, 1,
                        table_is_bits(span->table) ? limits->max_bits : limits->max_registers);
        assert_true(span_end(span) <= TABLE_SIZE);
        for (size_t j = 0; j < request->n_points; j++) {
            size_t point = plan->points[request->first_point + j];

            assert_true(span_covers(span, &points[point]));
            seen[point]++;
        }
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(seen[i], 1);
}

static bool wants(const struct plan *plan, size_t request, const struct span *points, unsigned at)
{
    for (size_t i = 0; i < plan->requests[request].n_points; i++) {
        const struct span *point = &points[plan->points[plan->requests[request].first_point + i]];

        if (point->address <= at && at < span_end(point))
            return true;
    }
    return false;
}

/* No request begins or ends with cells that no point wants, or has a hole wider than is allowed. */
static void check_economy(const struct plan *plan, const struct span *points,
                          const struct plan_limits *limits)
{
    for (size_t i = 0; i < plan->n_requests; i++) {
        const struct span *span = &plan->requests[i].span;
        unsigned hole = 0;
        unsigned max_gap =
            table_is_bits(span->table) ? limits->max_gap_bits : limits->max_gap_registers;

        for (unsigned at = span->address; at < span_end(span); at++) {
            bool wanted = wants(plan, i, points, at);

            hole = wanted ? 0 : hole + 1;
            assert_true(hole <= max_gap);
            assert_true(wanted || (at != span->address && at + 1 != span_end(span)));
        }
    }
}

static void covers_every_point_once_within_the_limits(void **state)
{
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    uint64_t random = seed * 2654435761u + 1;
    struct span points[200];

    (void)state;
    print_message("seed %llu (SEED=… repeats it)\n", (unsigned long long)seed);
    for (int i = 0; i < 500; i++) {
        struct plan_limits limits = {.max_gap_registers = draw(&random, 20),
                                     .max_gap_bits = draw(&random, 20),
                                     .max_registers = 1 + draw(&random, TABLE_REGISTERS_MAX),
                                     .max_bits = 1 + draw(&random, TABLE_BITS_MAX)};
        size_t n = 1 + draw(&random, 200);
        struct plan plan;

        for (size_t j = 0; j < n; j++)
            points[j] = random_span(&random, &limits);
        assert_int_equal(plan_build(&plan, points, n, &limits), 0);
        check(&plan, points, n, &limits);
        check_economy(&plan, points, &limits);
        plan_free(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_neighbours_of_one_table),
        cmocka_unit_test(crosses_gaps_only_as_far_as_allowed),
        cmocka_unit_test(keeps_to_the_limits),
        cmocka_unit_test(does_not_tear_a_value_apart),
        cmocka_unit_test(lets_points_overlap),
        cmocka_unit_test(reaches_the_last_address),
        cmocka_unit_test(refuses_a_point_over_the_limit),
        cmocka_unit_test(covers_every_point_once_within_the_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
