/* The controller against what its formula gives in closed form, and on a simulated plant. */
#include "pid.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double actual, double expected)
{
    if (!(fabs(actual - expected) < 1e-9))
        fail_msg("%.12g instead of %.12g", actual, expected);
}

/* A constant error e: u = Kp e (1 + t / Ti). */
static void test_proportional_and_integral(void **state)
{
    (void)state;
    struct pid_settings settings = {
        .gain = 2, .integral_s = 10, .minimum = -1000, .maximum = 1000, .sample_ms = 1000};
    struct pid pid = {0};
    pid_start(&pid, &settings, 2 * 3, 3, 17, 0);
    for (int i = 1; i <= 50; i++)
        assert_near(pid_step(&pid, &settings, 20, 17, 1000 * i), 2 * 3 * (1 + i / 10.0));
}

/* A ramp of the measured value: once the filter has settled, u = −Kp Td slope + P. */
static void test_derivative_of_the_measured(void **state)
{
    (void)state;
    struct pid_settings settings = {
        .gain = 2, .derivative_s = 4, .minimum = -1000, .maximum = 1000, .sample_ms = 100};
    struct pid pid = {0};
    double measured = 0, output = 0;
    pid_start(&pid, &settings, 0, 0, 0, 0);
    for (int i = 1; i <= 1000; i++) {
        measured = 0.5 * i / 10;
        output = pid_step(&pid, &settings, measured, measured, 100 * i);
    }
    assert_near(output, -2 * 4 * 0.5);
    /* A new setpoint makes no kick. */
    double before = pid.derivative;
    pid_step(&pid, &settings, measured + 100, measured + 0.05, 100 * 1001);
    assert_near(pid.derivative, before);
}

/* However long it was at its limit, it leaves it as soon as the error changes its sign. */
static void test_no_windup(void **state)
{
    (void)state;
    struct pid_settings settings = {
        .gain = 1, .integral_s = 1, .minimum = 0, .maximum = 10, .sample_ms = 1000};
    struct pid pid = {0};
    pid_start(&pid, &settings, 5, 0, 20, 0);
    for (int i = 1; i <= 1000; i++)
        pid_step(&pid, &settings, 30, 20, 1000 * i);
    assert_near(pid.output, 10);
    assert_true(pid_step(&pid, &settings, 30, 31, 1001000) < 10);
}

static void test_no_bump(void **state)
{
    (void)state;
    struct pid_settings settings = {.gain = 3,
                                    .integral_s = 20,
                                    .derivative_s = 2,
                                    .minimum = 0,
                                    .maximum = 100,
                                    .sample_ms = 1};
    struct pid pid = {0};
    pid_start(&pid, &settings, 42, 7, 13, 5000);
    assert_true(fabs(pid_step(&pid, &settings, 20, 13, 5001) - 42) < 0.01);
    pid_start(&pid, &settings, 420, 7, 13, 5000); /* beyond its limits */
    assert_near(pid.output, 100);
}

/* dy/dt = (u − y) / 30 s, exactly between samples: settles on the setpoint. */
static void test_on_a_plant(void **state)
{
    (void)state;
    struct pid_settings settings = {
        .gain = 4, .integral_s = 20, .minimum = 0, .maximum = 100, .sample_ms = 1000};
    struct pid pid = {0};
    double y = 10, highest = 0;
    pid_start(&pid, &settings, 10, 40, y, 0);
    for (int i = 1; i <= 600; i++) {
        double u = pid_step(&pid, &settings, 50, y, 1000 * i);
        y = u + (y - u) * exp(-1.0 / 30);
        highest = fmax(highest, y);
    }
    assert_true(fabs(y - 50) < 1e-6);
    assert_true(highest < 55);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proportional_and_integral),
        cmocka_unit_test(test_derivative_of_the_measured),
        cmocka_unit_test(test_no_windup),
        cmocka_unit_test(test_no_bump),
        cmocka_unit_test(test_on_a_plant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
