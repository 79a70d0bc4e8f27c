/* When a device's watchdog is fed, in virtual time. */
#include "watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct latest nothing = {0};

static void assert_withheld(struct watchdog *watchdog, const struct failsafe_signs *signs,
                            int64_t owed_ms, int64_t now_ms, const char *expected)
{
    const char *cause = watchdog_withheld(watchdog, signs, owed_ms, now_ms);

    assert_string_equal(cause ? cause : "fed", expected);
}

static void is_due_once_a_period(void **state)
{
    const struct watchdog_settings settings = {.period_ms = 100};
    struct watchdog watchdog;

    (void)state;
    watchdog_init(&watchdog, &settings, 1000);
    assert_true(watchdog_due(&watchdog, 1000));
    assert_false(watchdog_due(&watchdog, 1099));
    assert_true(watchdog_due(&watchdog, 1120));
    assert_true(watchdog_due(&watchdog, 1200)); /* its rhythm stays */
    assert_true(watchdog_due(&watchdog, 1777));
    assert_false(watchdog_due(&watchdog, 1799)); /* what passed is not made up for */
    assert_true(watchdog_due(&watchdog, 1800));
}

static void without_a_period_there_is_none(void **state)
{
    const struct watchdog_settings settings = {0};
    struct watchdog watchdog;

    (void)state;
    watchdog_init(&watchdog, &settings, 0);
    assert_false(watchdog_due(&watchdog, INT64_C(1) << 50));
}

static void stands_for_the_agent_alone_by_itself(void **state)
{
    const struct watchdog_settings settings = {.period_ms = 100};
    const struct failsafe_signs signs = {.latest = &nothing};
    struct watchdog watchdog;

    (void)state;
    watchdog_init(&watchdog, &settings, 0);
    assert_withheld(&watchdog, &signs, 1000000, 1000000, "fed");
}

static void is_withheld_for_as_long_as_something_is_missing(void **state)
{
    const struct watchdog_settings settings = {
        .period_ms = 100, .missing = {.broker_lost_ms = 1000, .controller_silent_ms = 5000}};
    struct failsafe_signs signs = {.latest = &nothing};
    struct watchdog watchdog;

    (void)state;
    watchdog_init(&watchdog, &settings, 0);
    assert_withheld(&watchdog, &signs, 0, 999, "fed");
    assert_withheld(&watchdog, &signs, 0, 1000, "broker_lost");
    assert_withheld(&watchdog, &signs, 0, 1100, "broker_lost"); /* not only when it appears */
    signs.broker_ms = 1200;
    assert_withheld(&watchdog, &signs, 0, 1200, "fed");
    signs.broker_ms = 5000;
    assert_withheld(&watchdog, &signs, 0, 5000, "controller_silent");
}

static void is_withheld_where_a_safe_value_is_owed_for_too_long(void **state)
{
    const struct watchdog_settings settings = {.period_ms = 100, .safe_unconfirmed_ms = 2000};
    const struct failsafe_signs signs = {.latest = &nothing};
    struct watchdog watchdog;

    (void)state;
    watchdog_init(&watchdog, &settings, 0);
    assert_withheld(&watchdog, &signs, 1999, 9000, "fed");
    assert_withheld(&watchdog, &signs, 2000, 9000, "safe_unconfirmed");
    assert_withheld(&watchdog, &signs, 0, 9000, "fed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_due_once_a_period),
        cmocka_unit_test(without_a_period_there_is_none),
        cmocka_unit_test(stands_for_the_agent_alone_by_itself),
        cmocka_unit_test(is_withheld_for_as_long_as_something_is_missing),
        cmocka_unit_test(is_withheld_where_a_safe_value_is_owed_for_too_long),
    };

    return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
