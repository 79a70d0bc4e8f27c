/* The ledger: loss, duplication, reordering and restarts, against what was really done. */
#include "account.h"
#include "buffer.h"
#include "reading_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR_MS INT64_C(3600000)

static const struct topic topic = {
    .kind = TOPIC_TELEMETRY, .location = "a", .device = "b", .name = "sensors"};

struct bench {
    struct account *account;
    struct account_series *series;
};

static struct bench bench_open(void)
{
    struct bench bench = {.account = calloc(1, sizeof(struct account))};

    assert_non_null(bench.account);
    bench.series = account_find(bench.account, &topic);
    assert_non_null(bench.series);
    return bench;
}

static void take(struct bench *bench, uint64_t seq, int64_t ts_ms)
{
    account_take(bench->account, bench->series, seq, ts_ms);
}

static void check(struct bench *bench, struct account_totals expected)
{
    struct account_totals totals = account_series_totals(bench->account, bench->series);

    assert_int_equal(totals.received, expected.received);
    assert_int_equal(totals.duplicate, expected.duplicate);
    assert_int_equal(totals.missing, expected.missing);
    assert_int_equal(totals.late, expected.late);
    assert_int_equal(totals.restarts, expected.restarts);
}

static void test_exact_numbers(void **state)
{
    struct bench bench = bench_open();

    (void)state;
    for (uint64_t seq = 1; seq <= 100; seq++)
        if (seq != 7 && seq != 50 && seq != 51)
            take(&bench, seq, (int64_t)seq * 1000);
    check(&bench, (struct account_totals){.received = 97, .missing = 3});
    take(&bench, 100, 100000);
    take(&bench, 99, 99000);
    check(&bench, (struct account_totals){.received = 99, .missing = 3, .duplicate = 2});
    take(&bench, 50, 50000);
    check(&bench,
          (struct account_totals){.received = 100, .missing = 2, .duplicate = 2, .late = 1});
    take(&bench, 50, 50000);
    check(&bench,
          (struct account_totals){.received = 101, .missing = 2, .duplicate = 3, .late = 1});
    free(bench.account);
}

static void test_first_heard_of_in_the_middle(void **state)
{
    struct bench bench = bench_open();

    (void)state;
    take(&bench, 1000, 5000);
    check(&bench, (struct account_totals){.received = 1});
    take(&bench, 998, 4000); /* so 999 was sent too */
    check(&bench, (struct account_totals){.received = 2, .late = 1, .missing = 1});
    take(&bench, 999, 4500);
    check(&bench, (struct account_totals){.received = 3, .late = 2});
    free(bench.account);
}

static void test_restarts(void **state)
{
    struct bench bench = bench_open();

    (void)state;
    for (uint64_t seq = 1; seq <= 10; seq++)
        take(&bench, seq, (int64_t)seq * 1000);
    for (uint64_t seq = 1; seq <= 20; seq++) /* a new session */
        take(&bench, seq, 60000 + (int64_t)seq * 1000);
    check(&bench, (struct account_totals){.received = 30, .restarts = 1});
    take(&bench, 10, 10000); /* the old one's last again */
    check(&bench, (struct account_totals){.received = 31, .restarts = 1, .duplicate = 1});
    take(&bench, 12, 12000); /* and one that was thought to be the end's */
    check(&bench,
          (struct account_totals){.received = 32, .restarts = 1, .duplicate = 1, .missing = 1});
    take(&bench, 3, 200000); /* a session whose first two were lost */
    check(&bench,
          (struct account_totals){.received = 33, .restarts = 2, .duplicate = 1, .missing = 3});
    free(bench.account);
}

/* A board without a battery for its clock. */
static void test_restart_with_the_clock_set_back(void **state)
{
    struct bench bench = bench_open();

    (void)state;
    for (uint64_t seq = 1; seq <= 10; seq++)
        take(&bench, seq, 100 * HOUR_MS + (int64_t)seq * 1000);
    for (uint64_t seq = 1; seq <= 10; seq++)
        take(&bench, seq, HOUR_MS + (int64_t)seq * 1000);
    check(&bench, (struct account_totals){.received = 20, .restarts = 1});
    free(bench.account);
}

static uint32_t draw(uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;
    return *random >> 16;
}

/* Ten hours at 10 readings a second, with 2 % lost, 1 % twice, 1 % late by up to 20 places, and a
 * restart about each hour: told exactly. */
static void test_hours(void **state)
{
    struct bench bench = bench_open();
    struct account_totals expected = {0};
    uint64_t held_seq[20] = {0}, seq = 0, highest = 0;
    int64_t held_ts[20] = {0};
    uint32_t random = 42;

    (void)state;
    for (int64_t ts = 1000; ts < 10 * HOUR_MS; ts += 100) {
        size_t slot = draw(&random) % 20;
        uint32_t fate = draw(&random) % 1000;

        if (draw(&random) % 36000 == 0) { /* the held ones of the old session are lost */
            seq = 0;
            highest = 0;
            memset(held_seq, 0, sizeof(held_seq));
            expected.restarts += expected.received > 0;
        }
        seq++;
        if (held_seq[slot]) { /* comes now, after others */
            take(&bench, held_seq[slot], held_ts[slot]);
            expected.received++;
            if (held_seq[slot] > highest) { /* nothing has overtaken it */
                expected.missing += held_seq[slot] - highest - 1;
                highest = held_seq[slot];
            } else {
                expected.late++;
                expected.missing--;
            }
            held_seq[slot] = 0;
        }
        if (fate < 20 && highest > 0) /* lost */
            continue;
        if (fate >= 20 && fate < 30 && highest > 0) {
            held_seq[slot] = seq;
            held_ts[slot] = ts;
            continue;
        }
        expected.missing += seq - highest - 1;
        highest = seq;
        take(&bench, seq, ts);
        expected.received++;
        if (fate >= 30 && fate < 40) {
            take(&bench, seq, ts);
            expected.received++;
            expected.duplicate++;
        }
        if (ts % 100000 == 0)
            check(&bench, expected);
    }
    check(&bench, expected);
    assert_true(expected.restarts > 3 && expected.late > 1000 && expected.missing > 1000);
    free(bench.account);
}

static void test_table_is_bounded(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct topic other = topic;

    (void)state;
    for (int i = 0; i < ACCOUNT_SERIES_MAX; i++) {
        snprintf(other.device, sizeof(other.device), "device_%d", i);
        account_take(account, account_find(account, &other), 1, 1);
    }
    assert_non_null(account_find(account, &other)); /* known */
    assert_null(account_find(account, &topic));
    account_take(account, account_find(account, &topic), 1, 1);
    assert_int_equal(atomic_load(&account->untracked), 1);
    assert_int_equal(account_totals(account).received, ACCOUNT_SERIES_MAX);
    free(account);
}

static int64_t thread_cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* What there is no room for is not looked for in all of the table. */
static void test_full_table_is_as_quick(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct topic other = topic;
    int64_t known_ns, unknown_ns;

    (void)state;
    for (int i = 0; i < ACCOUNT_SERIES_MAX; i++) {
        snprintf(other.device, sizeof(other.device), "device_%d", i);
        assert_non_null(account_find(account, &other));
    }
    known_ns = -thread_cpu_ns();
    for (int i = 0; i < 2000; i++) {
        snprintf(other.device, sizeof(other.device), "device_%d", i % ACCOUNT_SERIES_MAX);
        assert_non_null(account_find(account, &other));
    }
    known_ns += thread_cpu_ns();
    unknown_ns = -thread_cpu_ns();
    for (int i = 0; i < 2000; i++) {
        snprintf(other.device, sizeof(other.device), "other_%d", i);
        assert_null(account_find(account, &other));
    }
    unknown_ns += thread_cpu_ns();
    assert_true(unknown_ns < 10 * known_ns);
    free(account);
}

struct scanned {
    size_t n;
    uint64_t seq[8];
    int64_t ts_ms[8];
};

static void on_reading(void *self, uint64_t seq, int64_t ts_ms)
{
    struct scanned *scanned = self;

    scanned->seq[scanned->n] = seq;
    scanned->ts_ms[scanned->n++] = ts_ms;
}

/* In memory of exactly its size, so that a read behind it is seen. */
static struct scanned scan(const char *text, size_t size)
{
    struct scanned scanned = {0};
    char *exact = malloc(size ? size : 1);
    size_t n;

    memcpy(exact, text, size);
    n = reading_scan(exact, size, on_reading, &scanned);
    assert_int_equal(n, scanned.n);
    free(exact);
    return scanned;
}

static void test_scan(void **state)
{
    static const char one[] = " {\"values\":{\"seq\":9,\"a\":\"\\\"}],\",\"b\":[{}]},\"seq\" : 42 ,"
                              "\"bad\":{\"ts\":\"x\"},\"ts\":1763805600123} ";
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "{\"ts\":1}",
                                      "{\"seq\":1,\"ts\":-1}",
                                      "{\"seq\":1.5,\"ts\":1}",
                                      "{\"seq\":\"1\",\"ts\":1}",
                                      "{\"seq\":1,\"ts\":1}x",
                                      "[{\"seq\":1,\"ts\":1},{}]",
                                      "[{\"seq\":1,\"ts\":1}",
                                      "{\"seq\":1,\"ts\":12345678901234567}"};
    struct scanned scanned = scan(one, strlen(one));

    (void)state;
    assert_int_equal(scanned.n, 1);
    assert_int_equal(scanned.seq[0], 42);
    assert_int_equal(scanned.ts_ms[0], 1763805600123);
    scanned = scan("[{\"seq\":1,\"ts\":2},{\"ts\":4,\"seq\":3}]", 35);
    assert_int_equal(scanned.n, 2);
    assert_int_equal(scanned.seq[1], 3);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (scan(bad[i], strlen(bad[i])).n != 0)
            fail_msg("taken: %s", bad[i]);
    for (size_t size = 0; size < strlen(one) - 1; size++) /* cut everywhere */
        assert_int_equal(scan(one, size).n, 0);
}

static void count_in_order(void *self, uint64_t seq, int64_t ts_ms)
{
    uint64_t *n = self;

    assert_int_equal(seq, *n);
    assert_int_equal(ts_ms, 2 * *n);
    ++*n;
}

/* More readings than are remembered while it looks for them. */
static void test_scan_long_arrays(void **state)
{
    struct buffer text = {0};
    uint64_t n = 0;

    (void)state;
    for (int i = 0; i < 5000; i++)
        buffer_format(&text, "%c{\"ts\":%d,\"seq\":%d}", i == 0 ? '[' : ',', 2 * i, i);
    assert_int_equal(reading_scan(text.data, text.size, count_in_order, &n), 0); /* not closed */
    assert_int_equal(n, 0);
    buffer_char(&text, ']');
    assert_int_equal(reading_scan(text.data, text.size, count_in_order, &n), 5000);
    assert_int_equal(n, 5000);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_numbers),
        cmocka_unit_test(test_first_heard_of_in_the_middle),
        cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_restart_with_the_clock_set_back),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_table_is_bounded),
        cmocka_unit_test(test_full_table_is_as_quick),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_scan_long_arrays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
