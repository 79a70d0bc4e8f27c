#include "line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#define SEEDS 20
#define SHIFTS 3
#define STEPS_PER_S (1000 / LINE_STEP_MS)
#define STEPS_PER_SHIFT (LINE_SHIFT_S * STEPS_PER_S)

/* As a reader of the registers computes it; NAN while there is no runtime. */
static double efficiency(const struct line *line)
{
    uint32_t runtime = line_runtime_milli_hours(line);

    if (runtime == 0)
        return NAN;
    return line_units_produced(line) / (runtime / 1000.0) / LINE_NOMINAL_RATE;
}

static void test_one_low_episode_a_shift(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct line line;

        line_init(&line, seed);
        for (int shift = 0; shift < SHIFTS; shift++) {
            int episodes = 0;
            bool low = false;

            for (int step = shift == 0; step < STEPS_PER_SHIFT; step++) {
                line_step(&line);
                double now = efficiency(&line);

                if (!low && now < 0.85)
                    episodes++, low = true;
                else if (low && now > 0.92)
                    low = false;
            }
            assert_int_equal(episodes, 1);
            assert_false(low);
        }
    }
}

static void test_clear_of_the_limit_but_for_the_jam(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct line line;

        line_init(&line, seed);
        for (int step = 1; step < SHIFTS * STEPS_PER_SHIFT; step++) {
            line_step(&line);
            if (!line.jam && !line.catching_up)
                assert_false(efficiency(&line) < 0.95);
            assert_false(efficiency(&line) < 0.75);
        }
    }
}

static void test_downtime_counts_the_jam_and_quality_dips_after_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct line line;
        double before = 0, worst = 100;

        line_init(&line, seed);
        for (int step = 1; step < STEPS_PER_SHIFT; step++) {
            line_step(&line);
            assert_in_range(lround(line.quality * 10), 950, 995);
            if (line.downtime_s == 0)
                before = line.quality;
            worst = fmin(worst, line.quality);
        }
        assert_true(fabs(line.downtime_s - (line.jam_to_s - line.jam_from_s)) < 1);
        assert_true(worst < before - 1.5);
        assert_true(line.quality > worst + 1.5);
    }
}

/* The rules of the demo for the plant, as deploy/config/rules-engine.json has them. */
static void demo_rules(struct line *line, int *overpressures)
{
    if (line->temperature > 27)
        line->pump_0 = true;
    else if (line->temperature < 23)
        line->pump_0 = false;
    if (line->pump_1 && line->pressure > 3.0)
        ++*overpressures, line->pump_1 = false;
    else if (!line->pump_1 && line->pressure < 2.0)
        line->pump_1 = true;
}

/* At each second, and at every fifth: that is what a one-second poll sees at five times the speed.
 */
static void test_rules_keep_the_plant(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        int every_s = seed % 2 ? 1 : 5;
        int overpressures = 0;
        struct line line;

        line_init(&line, seed);
        for (int step = 0; step < 3600 * STEPS_PER_S; step++) {
            if (step % (every_s * STEPS_PER_S) == 0)
                demo_rules(&line, &overpressures);
            line_step(&line);
            assert_true(line.temperature > 22 && line.temperature < 28);
            assert_true(line.pressure > 1.5 && line.pressure < 3.4);
            if (step == 150 * STEPS_PER_S) /* soon enough for whoever watches the demo */
                assert_true(overpressures > 0);
        }
        assert_in_range(overpressures, 8, 40);
    }
}

static void test_without_rules_pressure_and_heat_climb(void **state)
{
    struct line line;
    double highest = 0;

    (void)state;
    line_init(&line, 1);
    for (int step = 0; step < 300 * STEPS_PER_S; step++) {
        line_step(&line);
        highest = fmax(highest, line.pressure);
    }
    assert_true(highest == 4.5);
    assert_true(line.pressure > 4.4);
    assert_true(line.temperature > 30);
}

static void test_pump_1_makes_the_flow(void **state)
{
    struct line line;

    (void)state;
    line_init(&line, 1);
    assert_true(line.flow > 35);
    line.pump_1 = false;
    for (int step = 0; step < 20 * STEPS_PER_S; step++)
        line_step(&line);
    assert_true(line.flow < 0.1);
    assert_true(line.pressure < 1.5);
}

static void test_a_stopped_conveyor_is_not_slow(void **state)
{
    struct line line;
    double units;

    (void)state;
    line_init(&line, 1);
    for (int step = 0; step < 100 * STEPS_PER_S; step++)
        line_step(&line);
    units = line.units;
    line.conveyor = false;
    for (int step = 0; step < 100 * STEPS_PER_S; step++)
        line_step(&line);
    assert_true(line.units == units);
    assert_true(efficiency(&line) > 0.95);
    assert_true(line.speed == 0);
}

static void test_same_seed_same_course(void **state)
{
    struct line a, b;

    (void)state;
    line_init(&a, 3);
    line_init(&b, 3);
    for (int step = 0; step < 1000; step++) {
        line_step(&a);
        line_step(&b);
    }
    assert_true(a.units == b.units && a.pressure == b.pressure && a.temperature == b.temperature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_low_episode_a_shift),
        cmocka_unit_test(test_clear_of_the_limit_but_for_the_jam),
        cmocka_unit_test(test_downtime_counts_the_jam_and_quality_dips_after_it),
        cmocka_unit_test(test_rules_keep_the_plant),
        cmocka_unit_test(test_without_rules_pressure_and_heat_climb),
        cmocka_unit_test(test_pump_1_makes_the_flow),
        cmocka_unit_test(test_a_stopped_conveyor_is_not_slow),
        cmocka_unit_test(test_same_seed_same_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
