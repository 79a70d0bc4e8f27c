/* The ring of the times that a rule fired, filled from a memory in any order. */
#include "duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_recalled_in_any_order(void **state)
{
    (void)state;
    static const int64_t orders[][5] = {
        {10, 20, 30, 40, 50}, {50, 40, 30, 20, 10}, {30, 30, 50, 20, 40}, {40, 10, 50, 30, 50}};
    const struct rule rule = {.max_per_hour = 3};
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct duty *duty = duty_open(&rule);
        assert_non_null(duty);
        for (size_t j = 0; j < 5; j++)
            duty_recall(duty, &rule, orders[i][j]);
        assert_int_equal(duty->fired_ms, 50);
        assert_int_equal(duty_n_kept(duty, &rule), 3);
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(duty_kept_ms(duty, &rule, j), 30 + 10 * j);
        assert_int_equal(duty_rested_ms(duty, &rule), DUTY_HOUR_MS + 30);
        duty_close(duty);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recalled_in_any_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
