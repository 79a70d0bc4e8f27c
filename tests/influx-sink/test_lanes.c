#include "lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_one_lane_goes_in_order(void **state)
{
    struct lanes lanes;

    (void)state;
    lanes_init(&lanes, 7);
    assert_false(lanes_are_two(&lanes));
    assert_int_equal(lanes_limit(&lanes), UINT64_MAX);
    assert_false(lanes_took_old(&lanes, 12));
    assert_int_equal(lanes.next, 12);
    assert_false(lanes_split(&lanes, 12)); /* there is nothing old */
}

static void test_new_goes_first_until_old_meets_it(void **state)
{
    struct lanes lanes;

    (void)state;
    lanes_init(&lanes, 0);
    lanes_took_old(&lanes, 10);
    assert_true(lanes_split(&lanes, 100));
    assert_int_equal(lanes_limit(&lanes), 100);
    assert_int_equal(lanes_new(&lanes), 100);
    lanes_took_new(&lanes, 130);
    assert_int_equal(lanes_new(&lanes), 130);
    assert_false(lanes_took_old(&lanes, 99));
    assert_true(lanes_are_two(&lanes));
    assert_true(lanes_took_old(&lanes, 100));
    assert_int_equal(lanes.next, 130);
    assert_false(lanes_are_two(&lanes));
}

static void test_no_more_ranges_than_there_is_room_for(void **state)
{
    struct lanes lanes;

    (void)state;
    lanes_init(&lanes, 0);
    for (unsigned i = 1; i <= LANES_RANGES_MAX; i++) {
        assert_true(lanes_split(&lanes, 100 * i));
        lanes_took_new(&lanes, 100 * i + 10);
    }
    assert_false(lanes_split(&lanes, 200 * LANES_RANGES_MAX));
    assert_int_equal(lanes_new(&lanes), 100 * LANES_RANGES_MAX + 10);
    lanes_took_old(&lanes, 100);
    assert_true(lanes_split(&lanes, 200 * LANES_RANGES_MAX));
}

/* Whatever happens, each record is taken once, and the first lane leaves nothing behind. */
static void test_every_record_is_taken_once(void **state)
{
    static unsigned char taken[20000];
    unsigned seed = 3;

    (void)state;
    for (int round = 0; round < 300; round++) {
        uint64_t end = 0;
        struct lanes lanes;

        memset(taken, 0, sizeof(taken));
        lanes_init(&lanes, 0);
        while (end < 10000 || lanes.next < end) {
            uint64_t n = (uint64_t)rand_r(&seed) % 200;

            if (end < 10000)
                end += (uint64_t)rand_r(&seed) % 300;
            if (rand_r(&seed) % 8 == 0 && end < 10000)
                lanes_split(&lanes, end);
            if (lanes_are_two(&lanes) && rand_r(&seed) % 2 == 0) {
                uint64_t from = lanes_new(&lanes), to = from + n < end ? from + n : end;

                for (uint64_t i = from; i < to; i++)
                    taken[i]++;
                lanes_took_new(&lanes, to);
            } else {
                uint64_t to = lanes.next + n < end ? lanes.next + n : end;

                if (to > lanes_limit(&lanes))
                    to = lanes_limit(&lanes);
                for (uint64_t i = lanes.next; i < to; i++)
                    taken[i]++;
                lanes_took_old(&lanes, to);
            }
            for (uint64_t i = 0; i < lanes.next; i++)
                assert_int_equal(taken[i], 1);
        }
        assert_false(lanes_are_two(&lanes) && lanes_new(&lanes) > lanes.next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_lane_goes_in_order),
        cmocka_unit_test(test_new_goes_first_until_old_meets_it),
        cmocka_unit_test(test_no_more_ranges_than_there_is_room_for),
        cmocka_unit_test(test_every_record_is_taken_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
