/* Windows against sums made by hand and against a plain list of all values. */
#include "window.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define START INT64_C(1763805600000)

struct stand {
    struct window window;
    int64_t now_ms;
};

static void open_stand(struct stand *stand, enum expression_window kind, int64_t length_ms)
{
    stand->now_ms = START;
    window_init(&stand->window, kind, length_ms);
}

static void add(struct stand *stand, int64_t wait_ms, double value)
{
    stand->now_ms += wait_ms;
    assert_int_equal(window_add(&stand->window, value, stand->now_ms, stand->now_ms), 0);
}

static void expect(const struct stand *stand, enum expression_aspect aspect, double number)
{
    struct value value = window_value(&stand->window, aspect, stand->now_ms);
    if (value.type != VALUE_NUMBER || fabs(value.number - number) > 1e-9 * fabs(number))
        fail_msg("aspect %d is %.17g instead of %.17g", aspect,
                 value.type == VALUE_NUMBER ? value.number : NAN, number);
}

static void expect_unknown(const struct stand *stand, enum expression_aspect aspect)
{
    assert_int_equal(window_value(&stand->window, aspect, stand->now_ms).type, VALUE_NONE);
}

static void test_by_hand(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, EXPRESSION_SLIDING, 10 * SECOND);
    expect_unknown(&stand, EXPRESSION_COUNT);
    add(&stand, 0, 100); /* leaves just when the window is whole */
    for (int i = 1; i < 10; i++)
        add(&stand, SECOND, i % 2 ? 2 : 4);
    expect_unknown(&stand, EXPRESSION_MEAN); /* not yet whole */
    add(&stand, SECOND, 9);
    expect(&stand, EXPRESSION_COUNT, 10);
    expect(&stand, EXPRESSION_SUM, 35); /* 2 4 2 4 2 4 2 4 2 9 */
    expect(&stand, EXPRESSION_MEAN, 3.5);
    expect(&stand, EXPRESSION_MIN, 2);
    expect(&stand, EXPRESSION_MAX, 9);
    expect(&stand, EXPRESSION_MEDIAN, 3);
    expect(&stand, EXPRESSION_STDDEV, sqrt(42.5 / 9));
    expect(&stand, EXPRESSION_ZSCORE, (9 - 26.0 / 9) / sqrt((84 - 26 * 26 / 9.0) / 8));
    window_free(&stand.window);
}

static void test_gaps(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, EXPRESSION_SLIDING, 10 * SECOND);
    add(&stand, 0, 1);
    add(&stand, 10 * SECOND, 2); /* no longer than the window: it goes on */
    expect(&stand, EXPRESSION_MEAN, 2);
    expect_unknown(&stand, EXPRESSION_STDDEV); /* of one value */
    expect_unknown(&stand, EXPRESSION_ZSCORE);
    stand.now_ms += 9 * SECOND;
    expect(&stand, EXPRESSION_MAX, 2);
    stand.now_ms += 2 * SECOND;
    expect_unknown(&stand, EXPRESSION_MAX); /* empty */
    add(&stand, 0, 3);
    expect_unknown(&stand, EXPRESSION_MAX); /* begun anew */
    add(&stand, 5 * SECOND, 4);
    add(&stand, 5 * SECOND, 5);
    expect(&stand, EXPRESSION_MIN, 4);
    window_free(&stand.window);
}

static void test_zscore(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, EXPRESSION_SLIDING, MINUTE);
    for (int i = 0; i < 61; i++)
        add(&stand, SECOND, 20);
    expect_unknown(&stand, EXPRESSION_ZSCORE); /* all the same: no measure */
    add(&stand, 100, 25);                      /* in one pane with the last */
    expect_unknown(&stand, EXPRESSION_ZSCORE);
    add(&stand, 100, 20);
    assert_true(window_value(&stand.window, EXPRESSION_ZSCORE, stand.now_ms).number < 0);
    window_free(&stand.window);
}

static void test_ewma(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, EXPRESSION_EXPONENTIAL, MINUTE);
    add(&stand, 0, 10);
    add(&stand, MINUTE / 2, 20);
    expect_unknown(&stand, EXPRESSION_EWMA);
    add(&stand, MINUTE / 2, 20);
    expect(&stand, EXPRESSION_EWMA, 20 - 10 * exp(-1)); /* the sum of the gaps counts */
    add(&stand, MINUTE + 1, 5);
    expect_unknown(&stand, EXPRESSION_EWMA); /* begun anew */
    add(&stand, MINUTE, 5);
    expect(&stand, EXPRESSION_EWMA, 5);
    window_free(&stand.window);
}

/* Large numbers with small differences: sums of squares would be all noise. */
static void test_large_numbers(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, EXPRESSION_SLIDING, MINUTE);
    for (int i = 0; i <= 60000; i++)
        add(&stand, 1, 1e9 + i % 2);
    expect(&stand, EXPRESSION_MEAN, 1e9 + 0.5);
    double stddev = window_value(&stand.window, EXPRESSION_STDDEV, stand.now_ms).number;
    assert_true(fabs(stddev - 0.5) < 1e-4);
    add(&stand, 1, 1e308);
    add(&stand, 1, 1e308);
    expect_unknown(&stand, EXPRESSION_SUM); /* does not fit */
    expect_unknown(&stand, EXPRESSION_STDDEV);
    expect(&stand, EXPRESSION_MAX, 1e308);
    window_free(&stand.window);
}

/* A hundred values a pane: the bound on memory holds, and the median stays near the middle. */
static void test_many_values(void **state)
{
    (void)state;
    struct stand stand;
    unsigned seed = 1;
    int n = 0, near = 0;
    open_stand(&stand, EXPRESSION_SLIDING, MINUTE);
    for (int i = 0; i < 600000; i++) {
        add(&stand, 10, (double)(rand_r(&seed) % 1000000) / 1e6);
        assert_true(stand.window.n <= WINDOW_PANES);
        if (i < 6100 || i % 97 != 0)
            continue;
        double median = window_value(&stand.window, EXPRESSION_MEDIAN, stand.now_ms).number;
        assert_true(median > 0.2 && median < 0.8);
        near += fabs(median - 0.5) < 0.0625;
        n++;
        double count = window_value(&stand.window, EXPRESSION_COUNT, stand.now_ms).number;
        assert_true(count > 6000.0 * 63 / 64 - 2 && count <= 6000 + 32);
    }
    assert_true(near > n * 6 / 10);
    window_free(&stand.window);
}

/* A clock that is set back, and readings that come late: no harm to what is kept. */
static void test_clock_set_back(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, EXPRESSION_SLIDING, 64);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(window_add(&stand.window, i, START + i, START), 0);
    assert_int_equal(stand.window.n, WINDOW_PANES);
    stand.now_ms = START + 999;
    expect(&stand, EXPRESSION_MIN, 936);
    stand.now_ms = START + 5000;
    assert_int_equal(window_add(&stand.window, 7, START + 1000, stand.now_ms), 0);
    expect_unknown(&stand, EXPRESSION_MIN); /* it was out of the window when it came */
    window_free(&stand.window);
}

static struct value at(const struct stand *stand, int aspect, int64_t now_ms)
{
    return window_value(&stand->window, (enum expression_aspect)aspect, now_ms);
}

static void assert_same(struct value a, struct value b)
{
    assert_int_equal(a.type, b.type);
    if (a.type == VALUE_NUMBER)
        assert_true(a.number == b.number);
}

/* Nothing changes before the moment that is said, and what is said to be last is. */
static void test_changes_by_time(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, EXPRESSION_SLIDING, 777);
    assert_true(window_change_ms(&stand.window, START) == INT64_MAX);
    srand(7);
    for (int i = 0; i < 2000; i++) {
        add(&stand, rand() % 3 ? rand() % 90 : rand() % 900, i);
        int64_t change_ms = window_change_ms(&stand.window, stand.now_ms);
        int64_t before_ms = change_ms == INT64_MAX ? stand.now_ms + 10000 : change_ms - 1;
        assert_true(change_ms > stand.now_ms);
        for (int aspect = EXPRESSION_MEAN; aspect <= EXPRESSION_ZSCORE; aspect++)
            assert_same(at(&stand, aspect, stand.now_ms), at(&stand, aspect, before_ms));
        if (at(&stand, EXPRESSION_COUNT, stand.now_ms).type == VALUE_NUMBER)
            assert_true(at(&stand, EXPRESSION_COUNT, change_ms).number <
                        at(&stand, EXPRESSION_COUNT, stand.now_ms).number);
    }
    window_free(&stand.window);
}

/* Into a fresh one of the same length. */
static void write_and_read(struct window *window)
{
    struct window fresh;
    struct buffer text = {0};
    window_init(&fresh, window->kind, window->length_ms);
    window_write(window, &text);
    assert_int_equal(window_read(&fresh, buffer_string(&text)), 0);
    window_free(window);
    *window = fresh;
    buffer_free(&text);
}

/* A value in each pane, and killed again and again: never more than an eighth is missing. */
static void test_many_restarts(void **state)
{
    (void)state;
    struct window window;
    window_init(&window, EXPRESSION_SLIDING, 64000);
    for (int64_t i = 1; i <= 640; i++) {
        assert_int_equal(window_add(&window, 1, i * 1000, i * 1000), 0);
        struct value count = window_value(&window, EXPRESSION_COUNT, i * 1000);
        if (i > 64)
            assert_in_range((unsigned)count.number, 64 - WINDOW_GROUP + 1, 64);
        if (i % 3 == 0)
            write_and_read(&window);
    }
    window_free(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_zscore),         cmocka_unit_test(test_ewma),
        cmocka_unit_test(test_large_numbers),  cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_clock_set_back), cmocka_unit_test(test_changes_by_time),
        cmocka_unit_test(test_many_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
