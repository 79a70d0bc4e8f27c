/* Back-off: the bound doubles up to its maximum, the draw is uniform below it, the floor is kept.
 */
#include "backoff.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The longest wait that any random number gives at this attempt: random = bound draws the bound. */
static int64_t longest(struct backoff backoff, int64_t bound)
{
    return backoff_next(&backoff, (uint64_t)bound, 0);
}

static void test_bound_doubles(void **state)
{
    (void)state;
    struct backoff backoff = {.first_ms = 500, .max_ms = 30000};
    static const int64_t bounds[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        assert_int_equal(longest(backoff, bounds[i]), bounds[i]);
        assert_int_equal(longest(backoff, bounds[i] + 1),
                         0); /* the draw begins anew: it was the end */
        backoff_next(&backoff, 0, 0);
    }
}

static void test_uniform_from_zero(void **state)
{
    (void)state;
    int counts[10] = {0};
    uint64_t random = 1;
    for (int i = 0; i < 100000; i++) {
        struct backoff backoff = {.first_ms = 999, .max_ms = 999};
        random = random * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        int64_t wait_ms = backoff_next(&backoff, random >> 16, 0);
        assert_in_range(wait_ms, 0, 999);
        counts[wait_ms / 100]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
}

static void test_floor(void **state)
{
    (void)state;
    struct backoff backoff = {.first_ms = 100, .max_ms = 1000};
    assert_int_equal(backoff_next(&backoff, 50, 5000), 5000); /* also above the bound */
    assert_int_equal(backoff_next(&backoff, 150, 120), 150);
    assert_int_equal(backoff_next(&backoff, 0, 120), 120);
    assert_int_equal(backoff_next(&backoff, 0, -5), 0);
}

static void test_reset(void **state)
{
    (void)state;
    struct backoff backoff = {.first_ms = 100, .max_ms = 100000};
    for (int i = 0; i < 7; i++)
        backoff_next(&backoff, 0, 0);
    assert_int_equal(backoff.attempt, 7);
    assert_int_equal(longest(backoff, 12800), 12800);
    backoff_reset(&backoff);
    assert_int_equal(longest(backoff, 100), 100);
    assert_int_equal(longest(backoff, 101), 0);
}

static void test_never_overflows(void **state)
{
    (void)state;
    struct backoff backoff = {.first_ms = 3, .max_ms = INT64_MAX, .attempt = UINT_MAX};
    assert_int_equal(backoff_next(&backoff, UINT64_MAX, 0), INT64_MAX);
    assert_int_equal(backoff.attempt, UINT_MAX);
    struct backoff first_above_max = {.first_ms = 5000, .max_ms = 1000};
    assert_int_equal(longest(first_above_max, 1000), 1000);
    assert_int_equal(longest(first_above_max, 1001), 0);
    struct backoff nothing = {0};
    assert_int_equal(backoff_next(&nothing, UINT64_MAX, 0), 0);
    struct backoff negative = {.first_ms = -1, .max_ms = -1};
    assert_int_equal(backoff_next(&negative, UINT64_MAX, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_doubles),   cmocka_unit_test(test_uniform_from_zero),
        cmocka_unit_test(test_floor),           cmocka_unit_test(test_reset),
        cmocka_unit_test(test_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
