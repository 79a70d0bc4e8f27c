/* A rule's life, told as a script: at each second what `when` and `until` say (t, f or ? for
 * unknown) and which edge is to follow. */
#include "rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct value truth(char c)
{
    return c == '?' ? (struct value){.type = VALUE_NONE} : value_bool(c == 't');
}

/* Edges as letters: '.' none, F fired, C cleared, S stale, R recovered. */
static void play(const struct rule_timing *timing, const char *when, const char *until,
                 const char *edges)
{
    static const char letters[] = ".FCSR";
    struct rule_state state = {.known_ms = 0};
    assert_int_equal(strlen(when), strlen(until));
    assert_int_equal(strlen(when), strlen(edges));
    for (size_t i = 0; edges[i]; i++) {
        struct rule_condition condition = {truth(when[i]), truth(until[i]), 0};
        int64_t now_ms = (int64_t)i * 1000;
        char edge = letters[rule_step(&state, timing, &condition, now_ms)];
        if (edge != edges[i])
            fail_msg("second %zu: %c instead of %c", i, edge, edges[i]);
        if (rule_deadline_ms(&state, timing) <= now_ms)
            fail_msg("second %zu: a deadline that is past already", i);
    }
}

static void test_hysteresis(void **state)
{
    (void)state;
    struct rule_timing timing = {0};
    play(&timing, "ftffftf", "tffftft", ".F..CFC");
    play(&timing, "tttt", "tttt", "...."); /* both at once: nothing to go by */
}

static void test_unknown_switches_nothing(void **state)
{
    (void)state;
    struct rule_timing timing = {0};
    play(&timing, "??t???f", "?????tt", "..F..C.");
    play(&timing, "t?f", "f??", "F..");
}

/* After a restart: not knowing only suspends a wait, until something is known. */
static void test_paused(void **state)
{
    (void)state;
    struct rule_timing timing = {.for_ms = 3000, .clear_for_ms = 3000};
    struct rule_condition unknown = {truth('?'), truth('?'), 0}, on = {truth('t'), truth('f'), 0};
    for (int active = 0; active < 2; active++) {
        struct rule_state rule = {
            .phase = active ? RULE_CLEARING : RULE_WAITING, .since_ms = 1000, .paused = true};
        assert_int_equal(rule_deadline_ms(&rule, &timing), RULE_NEVER);
        assert_int_equal(rule_step(&rule, &timing, &unknown, 9000), RULE_NO_EDGE);
        assert_true(rule_waits(&rule));
        assert_int_equal(rule_step(&rule, &timing, &on, 9000), active ? RULE_NO_EDGE : RULE_FIRED);
        assert_false(rule.paused);
    }
}

static void test_for(void **state)
{
    (void)state;
    struct rule_timing timing = {.for_ms = 3000};
    play(&timing, "tttttt", "ffffff", "...F..");
    play(&timing, "ttfttttf", "fftfffff", "......F."); /* a break starts it anew */
    play(&timing, "tt?tttt", "ff?ffff", "......F");    /* so does not knowing */
}

static void test_clear_for(void **state)
{
    (void)state;
    struct rule_timing timing = {.clear_for_ms = 2000};
    play(&timing, "tffff", "ftttt", "F..C.");
    play(&timing, "tfffffff", "fttftttt", "F.....C.");
    play(&timing, "tf?fff", "ft?ttt", "F....C");
}

static void test_stale(void **state)
{
    (void)state;
    struct rule_timing timing = {.stale_after_ms = 3000};
    play(&timing, "t?????tf", "f?????ft", "F..S..RC");
    play(&timing, "t?????f", "f?????t", "F..S..C"); /* known again, and it is over */
    play(&timing, "t??t??t", "f??f??f", "F......");
    play(&timing, "f??????", "t??????", "......."); /* what is not active cannot go stale */
    struct rule_timing never = {.stale_after_ms = 0};
    play(&never, "t??????", "f??????", "F......");
}

static void test_deadlines(void **state)
{
    (void)state;
    struct rule_timing timing = {.for_ms = 5000, .clear_for_ms = 7000, .stale_after_ms = 10000};
    struct rule_state rule = {0};
    struct rule_condition on = {value_bool(true), value_bool(false), 0};
    struct rule_condition off = {value_bool(false), value_bool(true), 0};
    assert_int_equal(rule_deadline_ms(&rule, &timing), RULE_NEVER);
    assert_int_equal(rule_step(&rule, &timing, &on, 1000), RULE_NO_EDGE);
    assert_int_equal(rule_deadline_ms(&rule, &timing), 6000);
    assert_int_equal(rule_step(&rule, &timing, &on, 6000), RULE_FIRED);
    assert_int_equal(rule_deadline_ms(&rule, &timing), 16000);
    assert_int_equal(rule_step(&rule, &timing, &off, 7000), RULE_NO_EDGE);
    assert_int_equal(rule_deadline_ms(&rule, &timing), 14000);
    assert_int_equal(rule_step(&rule, &timing, &off, 14000), RULE_CLEARED);
    assert_int_equal(rule_deadline_ms(&rule, &timing), RULE_NEVER);
    assert_int_equal(rule.episode, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hysteresis), cmocka_unit_test(test_unknown_switches_nothing),
        cmocka_unit_test(test_paused),     cmocka_unit_test(test_for),
        cmocka_unit_test(test_clear_for),  cmocka_unit_test(test_stale),
        cmocka_unit_test(test_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
