#include "endings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct account account;
static struct endings endings;

/* A batch of which each record held one reading of the same series, stored. */
static void add(uint64_t from, uint64_t to)
{
    static struct outcome outcome;

    outcome.account = &account;
    memset(outcome.n, 0, sizeof(outcome.n));
    outcome.n[5][ACCOUNT_STORED] = (uint32_t)(to - from);
    endings_add(&endings, from, to, &outcome);
}

static uint64_t told(void)
{
    return account_series_totals(&account, &account.series[5]).stored;
}

static int set_up(void **state)
{
    (void)state;
    memset(&account, 0, sizeof(account));
    endings_init(&endings, 0);
    return 0;
}

static void test_in_order(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 50; i++) {
        add(10 * i, 10 * i + 10);
        assert_true(endings_wait(&endings));
        assert_int_equal(endings_settle(&endings), 10 * i + 10);
        assert_int_equal(told(), 10 * i + 10);
        assert_int_equal(account_settled(&account), 10 * i + 10);
        assert_false(endings_wait(&endings));
    }
    assert_int_equal(endings.n, 0);
}

static void test_second_before_first(void **state)
{
    (void)state;
    add(10, 25);
    assert_false(endings_wait(&endings));
    assert_int_equal(endings_settle(&endings), 0);
    assert_int_equal(told(), 0); /* the ledger counts in order */
    add(25, 30);
    assert_int_equal(endings.n, 1);
    add(0, 10);
    assert_int_equal(endings_settle(&endings), 30);
    assert_int_equal(told(), 30);
}

/* As two couriers and two lanes do it: the ledger never has more than what is done in order. */
static void test_any_order(void **state)
{
    static uint64_t order[ENDINGS_MAX * 2];
    size_t n = sizeof(order) / sizeof(order[0]);
    unsigned seed = 11;

    for (int round = 0; round < 2000; round++) {
        uint64_t expected = 0;
        bool done[ENDINGS_MAX * 2] = {false};

        set_up(state);
        for (size_t i = 0; i < n; i++)
            order[i] = i;
        for (size_t i = n; i-- > 1;) {
            size_t j = (size_t)rand_r(&seed) % (i + 1);
            uint64_t swap = order[i];

            order[i] = order[j];
            order[j] = swap;
        }
        for (size_t i = 0; i < n; i++) {
            add(7 * order[i], 7 * order[i] + 7);
            done[order[i]] = true;
            while (expected < n && done[expected])
                expected++;
            assert_true(endings.n <= ENDINGS_MAX);
            assert_int_equal(endings_settle(&endings), 7 * expected);
            assert_int_equal(told(), 7 * expected);
        }
        assert_int_equal(endings.n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_in_order, set_up),
        cmocka_unit_test_setup(test_second_before_first, set_up),
        cmocka_unit_test_setup(test_any_order, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
