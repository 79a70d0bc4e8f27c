/* expect.c: what a person reads off a display. */
#include "expect.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void reads_value_and_tolerance(void **state)
{
    static const struct {
        const char *text;
        struct expectation meant;
    } cases[] = {
        {"229.0±5", {229, 5}}, {"229.0+-5", {229, 5}},  {"-5.5±0.25", {-5.5, 0.25}},
        {"200±2%", {200, 4}},  {"-200+-2%", {-200, 4}}, {"1e3±0", {1000, 0}},
        {"50", {50, 1}},       {"-50", {-50, 1}},       {" 229±5 ", {229, 5}},
    };
    struct expectation read;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (expect_parse(&read, 1, cases[i].text) != 1 || read.value != cases[i].meant.value ||
            fabs(read.tolerance - cases[i].meant.tolerance) > 1e-12)
            fail_msg("%s: %g±%g", cases[i].text, read.value, read.tolerance);
}

static void reads_several(void **state)
{
    struct expectation read[3];

    (void)state;
    assert_int_equal(expect_parse(read, 3, "229±5, 50+-1%,-3±0.1"), 3);
    assert_true(read[0].value == 229 && read[1].value == 50 && read[2].value == -3);
    assert_true(fabs(read[1].tolerance - 0.5) < 1e-12 && read[2].tolerance == 0.1);
    assert_int_equal(expect_parse(read, 2, "1,2,3"), -E2BIG);
}

static void refuses_what_is_none(void **state)
{
    static const char *const texts[] = {"",     "warm", "5±",    "±5",  "5±x", "5±-1",
                                        "5,,6", "5,",   "5±1%%", "5 6", "5+1", "nan±1"};
    struct expectation read[4];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (expect_parse(read, 4, texts[i]) != -EINVAL)
            fail_msg("takes \"%s\"", texts[i]);
}

static void the_nearer_the_better(void **state)
{
    const struct expectation expected = {229, 5};
    const struct expectation exact = {0.3, 0};

    (void)state;
    assert_true(expect_weight(&expected, 229) == 1);
    assert_true(expect_weight(&expected, 234) > 0);
    assert_true(expect_weight(&expected, 230) > expect_weight(&expected, 225));
    assert_true(expect_weight(&expected, 234.1) == 0);
    assert_true(expect_weight(&expected, NAN) == 0);
    assert_true(expect_weight(&expected, INFINITY) == 0);
    assert_true(expect_weight(&exact, 0.1 + 0.2) > 0);
    assert_true(expect_weight(&exact, 0.31) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_value_and_tolerance),
        cmocka_unit_test(reads_several),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(the_nearer_the_better),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
