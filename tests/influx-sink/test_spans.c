#include "spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORDS 400

static struct spans spans;

static int set_up(void **state)
{
    (void)state;
    memset(&spans, 0, sizeof(spans));
    return 0;
}

static void test_in_order(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 50; i++) {
        assert_true(spans_add(&spans, 10 * i, 10 * i + 10));
        assert_int_equal(spans.done, 10 * i + 10);
    }
    assert_int_equal(spans.n, 0);
}

static void test_second_before_first(void **state)
{
    (void)state;
    spans_add(&spans, 10, 25);
    assert_int_equal(spans.done, 0);
    spans_add(&spans, 25, 30);
    assert_int_equal(spans.n, 1);
    assert_int_equal(spans_count(&spans), 20);
    spans_add(&spans, 0, 10);
    assert_int_equal(spans.done, 30);
    assert_int_equal(spans.n, 0);
}

static void test_no_more_ranges_than_there_is_room_for(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= SPANS_MAX; i++)
        assert_true(spans_add(&spans, 10 * i, 10 * i + 1));
    assert_false(spans_add(&spans, 5, 6));
    assert_int_equal(spans_count(&spans), SPANS_MAX);
    assert_true(spans_add(&spans, 11, 20)); /* joins two */
    assert_true(spans_add(&spans, 5, 6));
}

/* Against one flag a record; what is added may be there already, as after a kill. */
static void test_against_a_model(void **state)
{
    unsigned seed = 11;

    for (int round = 0; round < 300; round++) {
        bool has[RECORDS] = {false};
        uint64_t n = 0, done = 0;

        set_up(state);
        while (done < RECORDS) {
            uint64_t from = (uint64_t)rand_r(&seed) % RECORDS;
            uint64_t to = from + 1 + (uint64_t)rand_r(&seed) % 20;

            if (to > RECORDS)
                to = RECORDS;
            assert_true(spans_add(&spans, from, to));
            for (uint64_t i = from; i < to; i++) {
                n += !has[i];
                has[i] = true;
            }
            while (done < RECORDS && has[done])
                done++;
            assert_int_equal(spans.done, done);
            assert_int_equal(spans_count(&spans), n);
            for (uint64_t i = 0; i < RECORDS; i++)
                assert_int_equal(spans_has(&spans, i), has[i]);
        }
        assert_int_equal(spans.n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_in_order, set_up),
        cmocka_unit_test_setup(test_second_before_first, set_up),
        cmocka_unit_test_setup(test_no_more_ranges_than_there_is_room_for, set_up),
        cmocka_unit_test_setup(test_against_a_model, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
