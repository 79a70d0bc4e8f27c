/* inquiry.c against simulated devices: tables with holes, seams and limits of their own. */
#include "inquiry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define CELLS 400
#define POINTS_MAX 120

/* Register n holds n + 1000. It refuses what touches a hole, reaches over a seam or is too long. */
struct device {
    bool hole[CELLS];
    bool seam[CELLS]; /* between this register and the one before it */
    unsigned max_registers;
    bool silent;
    unsigned asked, refused; /* in this round */
};

static int device_answer(struct device *device, const struct span *span, uint16_t *cells)
{
    device->asked++;
    if (device->silent)
        return -ETIMEDOUT;
    for (unsigned i = 0; i < span->count; i++) {
        unsigned at = span->address + i;

        if (device->hole[at] || (i > 0 && device->seam[at]) ||
            span->count > device->max_registers) {
            device->refused++;
            return span->count > device->max_registers ? 3 : 2;
        }
        cells[i] = (uint16_t)(at + 1000);
    }
    return 0;
}

struct fixture {
    struct group_point points[POINTS_MAX];
    struct group_settings group;
    struct holes holes;
    struct inquiry inquiry;
    int results[POINTS_MAX];
    uint16_t cells[POINTS_MAX * 4];
};

static void add_point(struct fixture *fixture, unsigned address, unsigned count)
{
    struct group_settings *group = &fixture->group;

    fixture->points[group->n_points] =
        (struct group_point){.span = {TABLE_HOLDING, address, count}, .first_cell = group->n_cells};
    group->n_points++;
    group->n_cells += count;
}

static void begin(struct fixture *fixture, unsigned max_gap)
{
    fixture->group.points = fixture->points;
    fixture->group.limits = (struct plan_limits){.max_gap_registers = max_gap,
                                                 .max_registers = TABLE_REGISTERS_MAX,
                                                 .max_bits = TABLE_BITS_MAX};
    assert_int_equal(inquiry_open(&fixture->inquiry, &fixture->group, &fixture->holes), 0);
}

static void end(struct fixture *fixture)
{
    inquiry_close(&fixture->inquiry);
    holes_free(&fixture->holes);
}

static bool run_round(struct fixture *fixture, struct device *device)
{
    struct inquiry *inquiry = &fixture->inquiry;
    uint16_t answer[TABLE_BITS_MAX];

    device->asked = device->refused = 0;
    memset(fixture->cells, 0, sizeof fixture->cells);
    for (size_t i = 0; i < inquiry->plan.n_requests; i++)
        while (inquiry_take(inquiry, i,
                            device_answer(device, &inquiry->plan.requests[i].span, answer), answer,
                            fixture->results, fixture->cells)) {
        }
    return inquiry_end(inquiry);
}

static bool readable(const struct device *device, const struct span *span)
{
    for (unsigned i = 0; i < span->count; i++)
        if (device->hole[span->address + i] || (i > 0 && device->seam[span->address + i]))
            return false;
    return true;
}

/* Every point has the value that it has, or the exception that it alone is answered by. */
static void check_round(const struct fixture *fixture, const struct device *device)
{
    for (size_t i = 0; i < fixture->group.n_points; i++) {
        const struct group_point *point = &fixture->points[i];

        if (!readable(device, &point->span)) {
            assert_int_equal(fixture->results[i], 2);
            continue;
        }
        assert_int_equal(fixture->results[i], 0);
        for (unsigned j = 0; j < point->span.count; j++)
            assert_int_equal(fixture->cells[point->first_cell + j], point->span.address + j + 1000);
    }
}

static void learns_a_hole_and_reads_around_it(void **state)
{
    struct fixture fixture = {0};
    struct device device = {.hole[5] = true, .max_registers = 125};

    (void)state;
    add_point(&fixture, 0, 2);
    add_point(&fixture, 3, 1);
    add_point(&fixture, 6, 1);
    add_point(&fixture, 9, 2);
    begin(&fixture, 10);
    assert_true(run_round(&fixture, &device));
    check_round(&fixture, &device);
    assert_int_equal(fixture.holes.n, 1);
    assert_int_equal(fixture.holes.items[0].address, 4); /* all that nobody wants there */
    assert_int_equal(fixture.holes.items[0].count, 2);
    assert_false(run_round(&fixture, &device));
    check_round(&fixture, &device);
    assert_int_equal(device.asked, 2);
    assert_int_equal(device.refused, 0);
    end(&fixture);
}

static void asks_for_a_refused_point_by_itself(void **state)
{
    struct fixture fixture = {0};
    struct device device = {.hole[4] = true, .max_registers = 125};

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        add_point(&fixture, i, 1);
    begin(&fixture, 0);
    for (int i = 0; i < 5; i++) {
        run_round(&fixture, &device);
        check_round(&fixture, &device);
    }
    assert_int_equal(device.asked, 3);
    assert_int_equal(device.refused, 1);
    device.hole[4] = false; /* it is still asked, so it is seen */
    run_round(&fixture, &device);
    check_round(&fixture, &device);
    end(&fixture);
}

static void finds_the_length_that_a_device_takes(void **state)
{
    struct fixture fixture = {0};
    struct device device = {.max_registers = 30};

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        add_point(&fixture, i, 1);
    begin(&fixture, 0);
    for (int i = 0; i < 10; i++) {
        run_round(&fixture, &device);
        check_round(&fixture, &device);
    }
    assert_int_equal(device.refused, 0);
    assert_true(device.asked <= 8);
    end(&fixture);
}

static void is_not_cut_to_pieces_by_a_device_that_refuses_all(void **state)
{
    struct fixture fixture = {0};
    struct device device = {.max_registers = 0};
    unsigned asked = 0;

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        add_point(&fixture, i, 1);
    begin(&fixture, 0);
    for (int i = 0; i < 1000; i++) {
        assert_false(run_round(&fixture, &device));
        asked += device.asked;
    }
    assert_int_equal(fixture.holes.n, 0);
    assert_true(asked < 1000 + 10 * 100);
    device.max_registers = 125; /* and it is whole again at once */
    run_round(&fixture, &device);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(fixture.results[i], 0);
    assert_int_equal(device.asked, 1);
    end(&fixture);
}

static void learns_nothing_from_silence(void **state)
{
    struct fixture fixture = {0};
    struct device device = {.hole[5] = true, .max_registers = 125, .silent = true};

    (void)state;
    add_point(&fixture, 0, 1);
    add_point(&fixture, 9, 1);
    begin(&fixture, 10);
    assert_false(run_round(&fixture, &device));
    assert_int_equal(fixture.results[0], -ETIMEDOUT);
    assert_int_equal(fixture.holes.n, 0);
    end(&fixture);
}

/* Numbers that are the same for the same seed on every machine: xorshift64 (Marsaglia, 2003). */
static unsigned draw(uint64_t *state, unsigned below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state >> 11) % below;
}

/* The requests that would do for someone who knew all holes and seams beforehand. */
static size_t requests_of_the_wise(const struct fixture *fixture, const struct device *device)
{
    struct holes truth = {0};
    struct plan_limits limits = fixture->group.limits;
    struct span spans[POINTS_MAX];
    struct plan plan;
    size_t n;

    for (unsigned i = 0; i < CELLS; i++) {
        if (device->hole[i])
            holes_add(&truth, &(struct span){TABLE_HOLDING, i, 1});
        if (device->seam[i])
            holes_add(&truth, &(struct span){TABLE_HOLDING, i, 0});
    }
    for (size_t i = 0; i < fixture->group.n_points; i++)
        spans[i] = fixture->points[i].span;
    limits.holes = &truth;
    assert_int_equal(plan_build(&plan, spans, fixture->group.n_points, &limits), 0);
    n = plan.n_requests;
    plan_free(&plan);
    holes_free(&truth);
    return n;
}

/* In every round, the first too, whatever can be read is read; soon nothing is refused but points
 * that are holes themselves, by as few requests as if all had been known. */
static void learns_any_device(void **state)
{
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    uint64_t random = seed * 2654435761u + 1;

    (void)state;
    print_message("seed %llu (SEED=… repeats it)\n", (unsigned long long)seed);
    for (int i = 0; i < 1000; i++) {
        struct fixture fixture = {0};
        struct device device = {.max_registers = 125};
        unsigned address = draw(&random, 5);
        unsigned density = 2 + draw(&random, 60);
        unsigned bad = 0;
        int rounds = 0;

        for (unsigned at = 0; at < CELLS; at++) {
            device.hole[at] = draw(&random, density) == 0;
            device.seam[at] = draw(&random, 4 * density) == 0;
        }
        while (fixture.group.n_points < POINTS_MAX) {
            unsigned count = 1 + draw(&random, 4);

            if (address + count > CELLS)
                break;
            add_point(&fixture, address, count);
            bad += !readable(&device, &fixture.points[fixture.group.n_points - 1].span);
            address += count + draw(&random, 2) * draw(&random, 8);
        }
        begin(&fixture, draw(&random, 12));
        /* A plan that refuses nothing new is final; one cut in vain is tried again later. */
        for (int quiet = 0; quiet < 70 && rounds < 2000; rounds++) {
            quiet = run_round(&fixture, &device) ? 0 : quiet + 1;
            check_round(&fixture, &device);
        }
        assert_true(rounds < 2000);
        if (bad < fixture.group.n_points) {
            assert_true(device.refused <= bad);
            assert_in_range(device.asked, 1, requests_of_the_wise(&fixture, &device) + bad);
        }
        end(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_a_hole_and_reads_around_it),
        cmocka_unit_test(asks_for_a_refused_point_by_itself),
        cmocka_unit_test(finds_the_length_that_a_device_takes),
        cmocka_unit_test(is_not_cut_to_pieces_by_a_device_that_refuses_all),
        cmocka_unit_test(learns_nothing_from_silence),
        cmocka_unit_test(learns_any_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
