#include "nap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A thread to which something comes each `every_us`, and costs it `cost_us`. */
struct worker {
    struct nap nap;
    int64_t every_us, cost_us;
    int64_t now_us, worked_us;
    int n_naps;
};

static void take(struct worker *worker)
{
    if (nap_is_due(&worker->nap, worker->now_us) &&
        nap_is_affordable(&worker->nap, worker->worked_us)) {
        worker->n_naps++;
        worker->now_us += worker->nap.length_us;
    }
    worker->worked_us += worker->cost_us;
    worker->now_us += worker->cost_us;
}

/* For a second; returns by how much it is behind at the end, in µs. */
static int64_t run(struct worker *worker)
{
    int64_t begun_us = 5000000, comes_us = begun_us;
    for (worker->now_us = begun_us; comes_us < begun_us + 1000000; comes_us += worker->every_us) {
        if (worker->now_us < comes_us)
            worker->now_us = comes_us;
        take(worker);
    }
    return worker->now_us > comes_us ? worker->now_us - comes_us : 0;
}

static void naps_half_the_time_in_a_stream(void **state)
{
    (void)state;
    struct worker worker = {.nap.length_us = 1000, .every_us = 30, .cost_us = 10};
    assert_in_range(run(&worker), 0, 2000);
    assert_in_range(worker.n_naps, 450, 500);
}

static void does_not_hold_up_what_comes_alone(void **state)
{
    (void)state;
    struct worker worker = {.nap.length_us = 1000, .every_us = 1000, .cost_us = 10};
    run(&worker);
    assert_int_equal(worker.n_naps, 0);
}

static void does_not_nap_without_a_length(void **state)
{
    (void)state;
    struct worker worker = {.every_us = 30, .cost_us = 10};
    run(&worker);
    assert_int_equal(worker.n_naps, 0);
}

/* Without the look at its work it would be behind by half a second at the end. */
static void keeps_up_where_it_is_hard_at_work(void **state)
{
    (void)state;
    struct worker worker = {.nap.length_us = 1000, .every_us = 30, .cost_us = 29};
    assert_int_equal(run(&worker), 0);
    assert_int_equal(worker.n_naps, 1);
    worker = (struct worker){.nap.length_us = 1000, .every_us = 30, .cost_us = 24};
    assert_in_range(run(&worker), 0, 1030);
    assert_in_range(worker.n_naps, 100, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(naps_half_the_time_in_a_stream),
        cmocka_unit_test(does_not_hold_up_what_comes_alone),
        cmocka_unit_test(does_not_nap_without_a_length),
        cmocka_unit_test(keeps_up_where_it_is_hard_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
