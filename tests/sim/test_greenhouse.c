#include "greenhouse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define SEEDS 20
#define STEPS_PER_S (1000 / GREENHOUSE_STEP_MS)

struct range {
    double low, high;
};

static void widen(struct range *range, double value)
{
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

static void hysteresis(bool *output, bool set, bool reset)
{
    if (set)
        *output = true;
    else if (reset)
        *output = false;
}

/* The rules of the demo, as deploy/config/rules-engine.json has them. */
static void demo_rules(struct greenhouse *g)
{
    hysteresis(&g->fan, g->temperature > 28, g->temperature < 24);
    hysteresis(&g->heater, g->temperature<18, g->temperature> 21);
    hysteresis(&g->pump, g->soil_moisture<30, g->soil_moisture> 45);
}

static void run(struct greenhouse *g, int seconds, int rules_every_s, struct range *temperature,
                struct range *soil)
{
    for (int step = 0; step < seconds * STEPS_PER_S; step++) {
        if (rules_every_s && step % (rules_every_s * STEPS_PER_S) == 0)
            demo_rules(g);
        greenhouse_step(g);
        widen(temperature, g->temperature);
        widen(soil, g->soil_moisture);
    }
}

static void test_rules_keep_it_in_range(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct greenhouse g;
        struct range temperature = {99, -99}, soil = {99, -99};

        greenhouse_init(&g, seed);
        run(&g, 3 * GREENHOUSE_DAY_S, 2, &temperature, &soil);
        assert_true(temperature.low > 16 && temperature.high < 30);
        assert_true(soil.low > 29 && soil.high < 50);
    }
}

static void test_slow_rules_at_ten_times_the_speed_still_keep_it(void **state)
{
    struct greenhouse g;
    struct range temperature = {99, -99}, soil = {99, -99};

    (void)state;
    greenhouse_init(&g, 1);
    run(&g, GREENHOUSE_DAY_S, 10, &temperature, &soil);
    assert_true(temperature.low > 14 && temperature.high < 32);
}

static void test_left_alone_it_leaves_the_range(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct greenhouse g;
        struct range temperature = {99, -99}, soil = {99, -99};

        greenhouse_init(&g, seed);
        run(&g, GREENHOUSE_DAY_S, 0, &temperature, &soil);
        assert_true(temperature.low < 15);
        assert_true(temperature.high > 30);
        assert_true(soil.low < 25);
    }
}

static void test_fan_cools_in_any_weather(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (int hour = 0; hour < 24; hour++) {
            struct greenhouse g;
            struct range unused = {0, 0};
            double before;

            greenhouse_init(&g, seed);
            run(&g, GREENHOUSE_DAY_S * hour / 24, 2, &unused, &unused);
            before = g.temperature;
            g.heater = false;
            g.fan = true;
            run(&g, 20, 0, &unused, &unused);
            assert_true(g.temperature < before - 1.5);
        }
    }
}

static void test_outputs_are_felt(void **state)
{
    struct greenhouse with, without;
    struct range unused = {0, 0};

    (void)state;
    greenhouse_init(&without, 1);
    with = without;
    with.heater = with.pump = with.lamp = true;
    run(&with, 10, 0, &unused, &unused);
    run(&without, 10, 0, &unused, &unused);
    assert_true(with.temperature > without.temperature + 2);
    assert_true(with.soil_moisture > without.soil_moisture + 5);
    assert_true(with.humidity > without.humidity);
    assert_true(with.light > without.light + 100 || with.light == 1023);
}

static void test_same_seed_same_course(void **state)
{
    struct greenhouse a, b, other;
    struct range unused = {0, 0};

    (void)state;
    greenhouse_init(&a, 7);
    greenhouse_init(&b, 7);
    greenhouse_init(&other, 8);
    run(&a, 100, 2, &unused, &unused);
    run(&b, 100, 2, &unused, &unused);
    run(&other, 100, 2, &unused, &unused);
    assert_true(a.temperature == b.temperature && a.humidity == b.humidity);
    assert_true(a.temperature != other.temperature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_keep_it_in_range),
        cmocka_unit_test(test_slow_rules_at_ten_times_the_speed_still_keep_it),
        cmocka_unit_test(test_left_alone_it_leaves_the_range),
        cmocka_unit_test(test_fan_cools_in_any_weather),
        cmocka_unit_test(test_outputs_are_felt),
        cmocka_unit_test(test_same_seed_same_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
