/* Shared filters: what is one, and what the broker gets of it. */
#include "share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_what_is_shared(void **state)
{
    static const struct {
        const char *filter;
        bool shared;
        int prefix;
    } cases[] = {{"+/+/telemetry/+", false, 0}, {"$share/sinks/+/+/telemetry/+", true, 13},
                 {"$share/g/#", true, 9},       {"$share/", true, 0},
                 {"$share/g", true, 0},         {"$share/g/", true, 0},
                 {"$share//x", true, 0},        {"$share/a+/x", true, 0},
                 {"$sharex/g/x", false, 0}};
    int prefix;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (share_is(cases[i].filter, &prefix) != cases[i].shared || prefix != cases[i].prefix)
            fail_msg("%s: %d", cases[i].filter, prefix);
}

static void test_root_goes_behind_the_group(void **state)
{
    static const char *const cases[][2] = {{"+/+/telemetry/+", "plant/iot/+/+/telemetry/+"},
                                           {"$share/sinks/a/#", "$share/sinks/plant/iot/a/#"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *filter = share_below("plant/iot", cases[i][0]);

        assert_string_equal(filter, cases[i][1]);
        free(filter);
    }
}

static void test_brokers(void **state)
{
    (void)state;
    assert_true(share_is_lost_by("mosquitto version 2.0.11"));
    assert_false(share_is_lost_by("5.8.3"));
    assert_false(share_is_lost_by(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_shared),
        cmocka_unit_test(test_root_goes_behind_the_group),
        cmocka_unit_test(test_brokers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
