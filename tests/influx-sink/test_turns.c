/* turns.c: a store that takes one batch each so often, more or less coming than it takes. */
#include "turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define FULL 100 /* records in a batch at most */
#define AGE_MS 1000

/* Records come at an even rate; `came` and `taken` count those of what is new. */
struct plant {
    struct turns turns;
    double per_ms;
    int64_t now_ms, came, taken, n_old, n_new;
    int64_t latest_ms; /* by how much the last record of a batch of new was late at most */
    unsigned row;      /* batches of new in a row, at most */
};

static void take_new(struct plant *plant)
{
    int64_t n = plant->came - plant->taken < FULL ? plant->came - plant->taken : FULL;
    int64_t late_ms = plant->now_ms - (int64_t)((double)(plant->taken + 1) / plant->per_ms);

    plant->taken += n;
    plant->n_new++;
    plant->row++;
    assert_true(plant->row <= TURNS_NEW_MAX);
    if (late_ms > plant->latest_ms)
        plant->latest_ms = late_ms;
    turns_took_new(&plant->turns, plant->now_ms + (n == FULL ? 0 : AGE_MS));
}

static void take_old(struct plant *plant)
{
    plant->n_old++;
    plant->row = 0;
    turns_took_old(&plant->turns);
}

/* The store is ready for a batch; there always is something old. */
static void step(struct plant *plant)
{
    plant->came = (int64_t)((double)plant->now_ms * plant->per_ms);
    if (turns_is_new(&plant->turns, plant->now_ms) && plant->came > plant->taken)
        take_new(plant);
    else
        take_old(plant);
}

static struct plant run(double per_ms, int64_t post_ms, int64_t until_ms)
{
    struct plant plant = {.per_ms = per_ms};

    for (; plant.now_ms < until_ms; plant.now_ms += post_ms)
        step(&plant);
    return plant;
}

/* Whatever comes, the old has its quarter; and the new is never late while it wants less than the
 * rest. */
static void test_neither_starves(void **state)
{
    unsigned seed = 5;

    (void)state;
    for (int round = 0; round < 500; round++) {
        int64_t post_ms = 1 + rand_r(&seed) % 400;
        double share = 0.02 * (1 + rand_r(&seed) % 100); /* of what the store can take */
        struct plant plant = run(share * FULL / (double)post_ms, post_ms, 500 * post_ms + 20000);

        assert_true(plant.n_old >= (plant.n_old + plant.n_new) / (TURNS_NEW_MAX + 1));
        if (share < 0.74)
            assert_true(plant.latest_ms <= AGE_MS + 3 * post_ms);
        if (share > 0.76) /* it uses its part to the full */
            assert_true(plant.n_new >=
                        (plant.n_old + plant.n_new) * TURNS_NEW_MAX / (TURNS_NEW_MAX + 1) -
                            AGE_MS / post_ms - 1);
    }
}

static void test_light_new_leaves_nearly_all_to_the_old(void **state)
{
    struct plant plant = run(0.01, 10, 60000);

    (void)state;
    assert_true(plant.n_new >= 55 && plant.n_new <= 60); /* one a second */
    assert_true(plant.n_old > 5900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neither_starves),
        cmocka_unit_test(test_light_new_leaves_nearly_all_to_the_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
