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

/* What was seen of a greenhouse. */
struct course {
    struct range temperature, humidity, soil;
};

static const struct course nothing_seen = {{99, -99}, {99, -99}, {99, -99}};

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
    bool too_cold = g->temperature < 21;

    hysteresis(&g->fan, g->temperature > 28, g->temperature < 26 || too_cold);
    hysteresis(&g->irrigation, g->soil_moisture<30, g->soil_moisture> 45);
}

static struct course run(struct greenhouse *g, int seconds, int rules_every_s)
{
    struct course course = nothing_seen;

    for (int step = 0; step < seconds * STEPS_PER_S; step++) {
        if (rules_every_s && step % (rules_every_s * STEPS_PER_S) == 0)
            demo_rules(g);
        greenhouse_step(g);
        widen(&course.temperature, g->temperature);
        widen(&course.humidity, g->humidity);
        widen(&course.soil, g->soil_moisture);
    }
    return course;
}

static void assert_within(struct range seen, double low, double high)
{
    if (seen.low < low || seen.high > high)
        fail_msg("from %.2f to %.2f, not within %.1f to %.1f", seen.low, seen.high, low, high);
}

static void test_rules_keep_it_in_range(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct greenhouse g;
        struct course course;

        greenhouse_init(&g, seed);
        course = run(&g, 3 * GREENHOUSE_DAY_S, 1);
        assert_within(course.temperature, 19.5, 29);
        assert_within(course.humidity, 58, 82);
        assert_within(course.soil, 28, 70);
    }
}

static void test_left_alone_it_leaves_the_range(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct greenhouse g;
        struct course course;

        greenhouse_init(&g, seed);
        course = run(&g, GREENHOUSE_DAY_S, 0);
        assert_true(course.temperature.low > 20.5);
        assert_true(course.temperature.high > 30);
        assert_true(course.soil.low < 25);
    }
}

static void test_fan_cools_in_any_weather(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (int hour = 0; hour < 24; hour++) {
            struct greenhouse g;
            double before;

            greenhouse_init(&g, seed);
            run(&g, GREENHOUSE_DAY_S * hour / 24, 1);
            before = g.temperature;
            g.fan = true;
            run(&g, 20, 0);
            assert_true(g.temperature < before - 1.5);
        }
    }
}

static void test_outputs_are_felt(void **state)
{
    struct greenhouse dry, wet;

    (void)state;
    greenhouse_init(&dry, 1);
    wet = dry;
    dry.fan = true;
    wet.irrigation = wet.led = true;
    run(&dry, 20, 0);
    run(&wet, 20, 0);
    assert_true(wet.soil_moisture > dry.soil_moisture + 5);
    assert_true(wet.humidity > dry.humidity + 1);
    assert_true(wet.light > dry.light + 100 || wet.light == 1023);
}

static void test_same_seed_same_course(void **state)
{
    struct greenhouse a, b, other;

    (void)state;
    greenhouse_init(&a, 7);
    greenhouse_init(&b, 7);
    greenhouse_init(&other, 8);
    run(&a, 100, 2);
    run(&b, 100, 2);
    run(&other, 100, 2);
    assert_true(a.temperature == b.temperature && a.humidity == b.humidity);
    assert_true(a.temperature != other.temperature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_keep_it_in_range),
        cmocka_unit_test(test_left_alone_it_leaves_the_range),
        cmocka_unit_test(test_fan_cools_in_any_weather),
        cmocka_unit_test(test_outputs_are_felt),
        cmocka_unit_test(test_same_seed_same_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
