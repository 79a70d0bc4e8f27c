/* What guards know of the past, over a restart and on disk. */
#include "file_replace.h"
#include "guard_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_MS 3600000
#define BOOT_MS 1000                   /* the monotonic clock of the process after */
#define TIME_MS INT64_C(1763805600000) /* the wall clock then */
#define AGO(seconds) (TIME_MS - (seconds)*1000)

static const struct guard_settings settings = {
    .min_on_ms = 30000, .min_off_ms = 60000, .max_on_ms = 600000, .starts_per_hour = 3};

static const char *refuse(const struct guard *guard, bool wanted, int64_t now_ms)
{
    struct value value = value_bool(wanted);
    const char *why;

    return guard_refuse(guard, &value, now_ms, &why);
}

static bool see(struct guard *guard, bool held, int64_t now_ms)
{
    struct value value = value_bool(held);

    return guard_see(guard, &value, now_ms);
}

static struct guard after(const struct guard_history *history)
{
    struct guard guard;

    guard_init(&guard, &settings, BOOT_MS);
    guard_restore(&guard, history, BOOT_MS, TIME_MS);
    return guard;
}

static void what_is_as_it_was_left_is_so_since_then(void **state)
{
    const struct guard_history off = {.on = false, .since_ms = AGO(50)};
    struct guard guard = after(&off);

    (void)state;
    assert_string_equal(refuse(&guard, true, BOOT_MS + 50000), "rate_limited"); /* not known yet */
    assert_false(see(&guard, false, BOOT_MS + 100));
    assert_string_equal(refuse(&guard, true, BOOT_MS + 9999), "rate_limited");
    assert_null(refuse(&guard, true, BOOT_MS + 10000));
}

static void what_is_not_is_so_since_now(void **state)
{
    const struct guard_history off = {.on = true, .since_ms = AGO(3600)};
    struct guard guard = after(&off);

    (void)state;
    assert_true(see(&guard, false, BOOT_MS + 100));
    assert_string_equal(refuse(&guard, true, BOOT_MS + 60099), "rate_limited");
    assert_null(refuse(&guard, true, BOOT_MS + 60100));
}

static void what_was_left_on_runs_on(void **state)
{
    const struct guard_history on = {.on = true, .since_ms = AGO(590)};
    struct guard guard = after(&on);

    (void)state;
    assert_int_equal(guard_expiry_ms(&guard), BOOT_MS + 10000); /* before it was seen */
    see(&guard, true, BOOT_MS + 100);
    assert_int_equal(guard_expiry_ms(&guard), BOOT_MS + 10000);
    see(&guard, false, BOOT_MS + 200);
    see(&guard, true, BOOT_MS + 300);
    assert_int_equal(guard_expiry_ms(&guard), BOOT_MS + 300 + 600000);
}

/* It may have been switched on right after it was seen off. */
static void what_is_found_on_was_on_since_the_last_change(void **state)
{
    const struct guard_history off = {.on = false, .since_ms = AGO(3600)};
    struct guard guard = after(&off);

    (void)state;
    assert_true(guard_expiry_ms(&guard) == INT64_MAX);
    assert_true(see(&guard, true, BOOT_MS + 100));
    assert_true(guard_expiry_ms(&guard) < BOOT_MS);
    assert_string_equal(refuse(&guard, false, BOOT_MS + 30099), "rate_limited");
}

static void without_a_record_it_is_on_since_it_was_seen(void **state)
{
    struct guard guard;
    struct guard_history history;

    (void)state;
    guard_init(&guard, &settings, BOOT_MS);
    assert_false(guard_history(&guard, &history, BOOT_MS, TIME_MS));
    assert_true(see(&guard, true, BOOT_MS + 100));
    assert_int_equal(guard_expiry_ms(&guard), BOOT_MS + 100 + 600000);
    assert_true(guard_history(&guard, &history, BOOT_MS + 200, TIME_MS));
    assert_true(history.on);
    assert_int_equal(history.since_ms, TIME_MS - 100);
    assert_int_equal(history.n_starts, 0);
}

static void starts_are_counted_on(void **state)
{
    const struct guard_history history = {
        .since_ms = AGO(100), .starts_ms = {AGO(3500), AGO(200)}, .n_starts = 2};
    struct guard guard = after(&history);
    struct guard_history kept;

    (void)state;
    see(&guard, false, BOOT_MS);
    assert_null(refuse(&guard, true, BOOT_MS));
    see(&guard, true, BOOT_MS);
    see(&guard, false, BOOT_MS + 1000);
    assert_string_equal(refuse(&guard, true, BOOT_MS + 61000), "rate_limited");
    assert_null(refuse(&guard, true, BOOT_MS + 100000)); /* the first is an hour ago */
    assert_true(guard_history(&guard, &kept, BOOT_MS + 100000, TIME_MS + 100000));
    assert_int_equal(kept.n_starts, 2);
    assert_int_equal(kept.starts_ms[0], AGO(200));
    assert_int_equal(kept.starts_ms[1], TIME_MS);
}

static void a_start_while_nobody_looked_counts(void **state)
{
    const struct guard_history history = {
        .since_ms = AGO(100), .starts_ms = {AGO(300), AGO(200)}, .n_starts = 2};
    struct guard guard = after(&history);

    (void)state;
    see(&guard, true, BOOT_MS);
    see(&guard, false, BOOT_MS + 1000);
    assert_string_equal(refuse(&guard, true, BOOT_MS + 99000), "rate_limited");
}

static void a_clock_that_stands_before_it_proves_nothing(void **state)
{
    const struct guard_history on = {
        .on = true, .since_ms = TIME_MS + 1, .starts_ms = {TIME_MS + HOUR_MS}, .n_starts = 1};
    struct guard guard = after(&on);
    struct guard_history kept;

    (void)state;
    assert_true(guard_expiry_ms(&guard) < BOOT_MS);
    see(&guard, true, BOOT_MS);
    assert_string_equal(refuse(&guard, false, BOOT_MS + 29999), "rate_limited");
    assert_true(guard_history(&guard, &kept, BOOT_MS, TIME_MS));
    assert_int_equal(kept.starts_ms[0], TIME_MS);
}

static void only_what_limits_in_time_is_kept(void **state)
{
    const struct guard_settings none = {.max_rate = 5};
    struct guard_history history;
    struct guard guard;

    (void)state;
    guard_init(&guard, &none, 0);
    see(&guard, true, 1);
    assert_false(guard_history(&guard, &history, 2, TIME_MS));
}

/* ---- on disk ---- */

struct bench {
    char path[64];
    char said[512];
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    int fd;

    strcpy(bench->path, "/tmp/guards-XXXXXX");
    fd = mkstemp(bench->path);
    assert_true(fd >= 0);
    close(fd);
    unlink(bench->path);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    unlink(bench->path);
    free(bench);
    return 0;
}

static void note(void *self, const char *actuator, const struct guard_history *history)
{
    struct bench *bench = self;
    size_t length = strlen(bench->said);

    snprintf(bench->said + length, sizeof bench->said - length, "%s %d %lld %zu %lld;", actuator,
             history->on, (long long)history->since_ms, history->n_starts,
             history->n_starts ? (long long)history->starts_ms[history->n_starts - 1] : 0);
}

static const char *load(struct bench *bench)
{
    bench->said[0] = '\0';
    assert_int_equal(guard_file_load(bench->path, note, bench), 0);
    return bench->said;
}

static void put_two(const char *path, int64_t since_ms)
{
    const struct guard_history pump = {
        .on = true, .since_ms = since_ms, .starts_ms = {5, since_ms}, .n_starts = 2};
    const struct guard_history fan = {.since_ms = 7};
    struct buffer text = {0};

    guard_file_begin(&text);
    guard_file_put(&text, "pump", &pump);
    guard_file_put(&text, "fan", &fan);
    assert_int_equal(file_replace(path, &text, 0640), 0);
    buffer_free(&text);
}

static void it_is_found_again_and_replaced(void **state)
{
    struct bench *bench = *state;

    assert_string_equal(load(bench), ""); /* there is none yet */
    put_two(bench->path, 42);
    assert_string_equal(load(bench), "pump 1 42 2 42;fan 0 7 0 0;");
    put_two(bench->path, TIME_MS);
    assert_string_equal(load(bench), "pump 1 1763805600000 2 1763805600000;fan 0 7 0 0;");
}

static void as_many_starts_as_there_can_be_fit_a_line(void **state)
{
    struct bench *bench = *state;
    struct guard_history history = {.on = true, .since_ms = TIME_MS, .n_starts = GUARD_STARTS_MAX};
    struct buffer text = {0};
    char name[TOPIC_NAME_SIZE];

    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < GUARD_STARTS_MAX; i++)
        history.starts_ms[i] = INT64_MAX;
    history.starts_ms[GUARD_STARTS_MAX - 1] = TIME_MS;
    guard_file_begin(&text);
    guard_file_put(&text, name, &history);
    guard_file_put(&text, "fan", &history);
    assert_int_equal(file_replace(bench->path, &text, 0640), 0);
    buffer_free(&text);
    assert_non_null(strstr(load(bench), "x 1 1763805600000 120 1763805600000;fan 1 "));
}

static void what_makes_no_sense_is_passed_over(void **state)
{
    struct bench *bench = *state;
    FILE *out = fopen(bench->path, "w");

    fputs("fieldline guards 1\n\npump\npump on\nfan off 9 x\nled on 3 1 2\n"
          "pump on -9223372036854775808\npump o",
          out);
    fclose(out);
    assert_string_equal(load(bench), "fan 0 9 0 0;led 1 3 2 2;");
    out = fopen(bench->path, "w");
    fputs("fieldline guards 2\nfan off 9\n", out);
    fclose(out);
    assert_string_equal(load(bench), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_it_was_left_is_so_since_then),
        cmocka_unit_test(what_is_not_is_so_since_now),
        cmocka_unit_test(what_was_left_on_runs_on),
        cmocka_unit_test(what_is_found_on_was_on_since_the_last_change),
        cmocka_unit_test(without_a_record_it_is_on_since_it_was_seen),
        cmocka_unit_test(starts_are_counted_on),
        cmocka_unit_test(a_start_while_nobody_looked_counts),
        cmocka_unit_test(a_clock_that_stands_before_it_proves_nothing),
        cmocka_unit_test(only_what_limits_in_time_is_kept),
        cmocka_unit_test_setup_teardown(it_is_found_again_and_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(as_many_starts_as_there_can_be_fit_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_passed_over, setup, teardown),
    };

    return cmocka_run_group_tests_name("guard_history", tests, NULL, NULL);
}
