/* feed.c: what a watchdog register is told. */
#include "feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Returns the problems as text; freed by the caller. */
static char *read_text(struct feed_settings *out, const char *text)
{
    struct config *config;
    char *report = NULL;
    size_t size;
    FILE *file = open_memstream(&report, &size);

    assert_int_equal(config_open_text(&config, "test", text), 0);
    feed_configure(out, config_root(config));
    config_check(config);
    config_report(config, file);
    fclose(file);
    config_close(config);
    return report;
}

static struct feed_settings read_good(const char *text)
{
    struct feed_settings settings;
    char *report = read_text(&settings, text);

    assert_string_equal(report, "");
    free(report);
    return settings;
}

static void assert_problem(const char *text, const char *expected)
{
    struct feed_settings settings;
    char *report = read_text(&settings, text);

    if (!strstr(report, expected))
        fail_msg("no \"%s\" in \"%s\"", expected, report);
    free(report);
}

static void assert_written(const struct feed_settings *settings, const uint16_t *expected, size_t n)
{
    uint16_t last = 0;

    for (size_t i = 0; i < n; i++) {
        last = feed_next(settings, last);
        assert_int_equal(last, expected[i]);
    }
}

static void counts_by_itself(void **state)
{
    struct feed_settings settings = read_good("{\"address\": 7, \"period\": \"250ms\"}");

    (void)state;
    assert_int_equal(settings.span.table, TABLE_HOLDING);
    assert_int_equal(settings.span.address, 7);
    assert_int_equal(settings.watchdog.period_ms, 250);
    assert_written(&settings, (const uint16_t[]){1, 2, 3}, 3);
    assert_int_equal(feed_next(&settings, UINT16_MAX), 1);
}

static void toggles(void **state)
{
    struct feed_settings coil = read_good("{\"table\": \"coil\", \"address\": 0}");
    struct feed_settings holding = read_good("{\"address\": 0, \"write\": \"toggle\"}");

    (void)state;
    assert_written(&coil, (const uint16_t[]){1, 0, 1}, 3);
    assert_written(&holding, (const uint16_t[]){1, 0, 1}, 3);
}

static void says_the_same_each_time(void **state)
{
    struct feed_settings settings = read_good("{\"address\": 0, \"write\": 21845}");

    (void)state;
    assert_written(&settings, (const uint16_t[]){21845, 21845}, 2);
}

static void stands_for_what_it_is_told_to(void **state)
{
    struct feed_settings settings = read_good(
        "{\"address\": 0, \"broker_lost\": \"9s\", \"controller_silent\": \"20s\", "
        "\"input_stale\": \"5s\", \"inputs\": [\"level\"], \"safe_unconfirmed\": \"3s\"}");

    (void)state;
    assert_int_equal(settings.watchdog.missing.broker_lost_ms, 9000);
    assert_int_equal(settings.watchdog.missing.controller_silent_ms, 20000);
    assert_string_equal(settings.watchdog.missing.controller, "rules-engine");
    assert_int_equal(settings.watchdog.missing.n_inputs, 1);
    assert_int_equal(settings.watchdog.safe_unconfirmed_ms, 3000);
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    assert_problem("{}", "address");
    assert_problem("{\"address\": 0, \"write\": 65536}", "from 0 to 65535");
    assert_problem("{\"address\": 0, \"table\": \"coil\", \"write\": 2}", "from 0 to 1");
    assert_problem("{\"address\": 0, \"table\": \"coil\", \"write\": \"counter\"}", "\"toggle\"");
    assert_problem("{\"address\": 0, \"write\": \"tick\"}", "\"counter\", \"toggle\"");
    assert_problem("{\"address\": 0, \"period\": \"10ms\"}", "period");
    assert_problem("{\"address\": 0, \"start\": true}", "start"); /* an actuator's, not its */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_itself),        cmocka_unit_test(toggles),
        cmocka_unit_test(says_the_same_each_time), cmocka_unit_test(stands_for_what_it_is_told_to),
        cmocka_unit_test(names_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
