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

/* How often the pressure passes 6.5 bar in an hour, with the demo's rule for the relief valve. */
static int overpressures(struct line *line, double *highest)
{
    int passes = 0;

    *highest = 0;
    for (int step = 0; step < 3600 * STEPS_PER_S; step++) {
        if (step % STEPS_PER_S == 0) {
            if (!line->relief_valve && line->pressure > 6.5)
                passes++, line->relief_valve = true;
            else if (line->relief_valve && line->pressure < 5.5)
                line->relief_valve = false;
        }
        line_step(line);
        *highest = fmax(*highest, line->pressure);
    }
    return passes;
}

static void test_relief_keeps_the_pressure(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct line line;
        double highest;
        int passes;

        line_init(&line, seed);
        passes = overpressures(&line, &highest);
        assert_in_range(passes, 8, 40);
        assert_true(highest < 7);
    }
}

static void test_without_relief_it_climbs_to_the_stop(void **state)
{
    struct line line;
    double highest = 0;

    (void)state;
    line_init(&line, 1);
    for (int step = 0; step < 300 * STEPS_PER_S; step++) {
        line_step(&line);
        highest = fmax(highest, line.pressure);
    }
    assert_true(highest == 9.0);
    assert_true(line.pressure > 8.9);
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
        cmocka_unit_test(test_relief_keeps_the_pressure),
        cmocka_unit_test(test_without_relief_it_climbs_to_the_stop),
        cmocka_unit_test(test_a_stopped_conveyor_is_not_slow),
        cmocka_unit_test(test_same_seed_same_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
