/* The breaker: every transition, and exactly one probe however often it is asked. */
#include "breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THRESHOLD = 5, OPEN_MS = 60000 };

static struct breaker opened_at(int64_t now_ms)
{
    struct breaker breaker;
    breaker_init(&breaker, THRESHOLD, OPEN_MS);
    for (int i = 0; i < THRESHOLD; i++)
        breaker_failure(&breaker, now_ms);
    return breaker;
}

static void test_opens_at_threshold(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker, THRESHOLD, OPEN_MS);
    for (int i = 0; i < THRESHOLD; i++) {
        assert_int_equal(breaker.state, BREAKER_CLOSED);
        assert_true(breaker_allow(&breaker, 100));
        breaker_failure(&breaker, 100);
    }
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_false(breaker_allow(&breaker, 100));
}

static void test_success_clears_the_row(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker, THRESHOLD, OPEN_MS);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < THRESHOLD - 1; i++)
            breaker_failure(&breaker, round);
        breaker_success(&breaker);
    }
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    assert_true(breaker_allow(&breaker, 100));
}

static void test_exactly_one_probe(void **state)
{
    (void)state;
    struct breaker breaker = opened_at(1000);
    int allowed = 0;
    for (int64_t now_ms = 1000; now_ms < 1000 + OPEN_MS; now_ms += 100)
        allowed += breaker_allow(&breaker, now_ms);
    assert_false(breaker_allow(&breaker, 1000 + OPEN_MS - 1));
    assert_int_equal(allowed, 0);
    for (int64_t now_ms = 1000 + OPEN_MS; now_ms < 1000 + 10 * OPEN_MS; now_ms += 100)
        allowed += breaker_allow(&breaker, now_ms);
    assert_int_equal(allowed, 1);
    assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
}

static void test_probe_decides(void **state)
{
    (void)state;
    struct breaker breaker = opened_at(0);
    assert_true(breaker_allow(&breaker, OPEN_MS));
    breaker_failure(&breaker, OPEN_MS + 500); /* one is enough here */
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_false(breaker_allow(&breaker, 2 * OPEN_MS + 499)); /* a whole time anew */
    assert_true(breaker_allow(&breaker, 2 * OPEN_MS + 500));
    breaker_success(&breaker);
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    for (int i = 0; i < THRESHOLD - 1; i++)
        breaker_failure(&breaker, 2 * OPEN_MS + 600);
    assert_int_equal(breaker.state, BREAKER_CLOSED); /* the count began anew */
}

/* Answers to what was asked before it opened. */
static void test_late_answers(void **state)
{
    (void)state;
    struct breaker breaker = opened_at(0);
    breaker_failure(&breaker, OPEN_MS - 1); /* does not make it longer */
    breaker_success(&breaker);              /* does not end it */
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_false(breaker_allow(&breaker, OPEN_MS - 1));
    assert_true(breaker_allow(&breaker, OPEN_MS));
}

static void test_ready(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker, THRESHOLD, OPEN_MS);
    assert_int_equal(breaker_ready_ms(&breaker, 77), 77);
    breaker = opened_at(1000);
    assert_int_equal(breaker_ready_ms(&breaker, 1000), 1000 + OPEN_MS);
    assert_int_equal(breaker_ready_ms(&breaker, 1000 + OPEN_MS + 5), 1000 + OPEN_MS + 5);
    assert_true(breaker_allow(&breaker, breaker_ready_ms(&breaker, 1000)));
    assert_int_equal(breaker_ready_ms(&breaker, 70000), 70000 + OPEN_MS);
}

static void test_edges(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker, 0, 0); /* 0 is read as 1 */
    assert_true(breaker_allow(&breaker, 5));
    breaker_failure(&breaker, 5);
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_true(breaker_allow(&breaker, 5)); /* open for no time, still one probe */
    assert_false(breaker_allow(&breaker, 5));
    assert_string_equal(breaker_state_name(BREAKER_CLOSED), "closed");
    assert_string_equal(breaker_state_name(BREAKER_OPEN), "open");
    assert_string_equal(breaker_state_name(BREAKER_HALF_OPEN), "half_open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_at_threshold),
        cmocka_unit_test(test_success_clears_the_row),
        cmocka_unit_test(test_exactly_one_probe),
        cmocka_unit_test(test_probe_decides),
        cmocka_unit_test(test_late_answers),
        cmocka_unit_test(test_ready),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
