/* What an actuator must not be told, in virtual time, and how the file that says so is read. */
#include "actuator_settings.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_MS 60000

static const char *refuse(const struct guard *guard, struct value wanted, int64_t now_ms)
{
    const char *why;
    const char *reason = guard_refuse(guard, &wanted, now_ms, &why);

    assert_true((reason == NULL) == (why == NULL));
    return reason;
}

static void see(struct guard *guard, struct value held, int64_t now_ms)
{
    guard_see(guard, &held, now_ms);
}

#define assert_may(guard, wanted, now_ms) assert_null(refuse(guard, wanted, now_ms))
#define assert_may_not(guard, wanted, now_ms, reason) \
    assert_string_equal(refuse(guard, wanted, now_ms), reason)

static void only_what_is_allowed(void **state)
{
    struct guard_settings settings = {.allowed = {value_number(0), value_number(50)},
                                      .n_allowed = 2};
    struct guard guard;

    (void)state;
    guard_init(&guard, &settings, 0);
    assert_may(&guard, value_number(50), 0);
    assert_may_not(&guard, value_number(49), 0, "out_of_range");
    settings.allowed[1] = value_text("eco");
    assert_may(&guard, value_text("eco"), 0);
    assert_may_not(&guard, value_text("max"), 0, "out_of_range");
}

static void in_steps(void **state)
{
    struct guard_settings settings = {.step = 0.1, .origin = 20};
    struct guard guard;

    (void)state;
    guard_init(&guard, &settings, 0);
    assert_may(&guard, value_number(20.3), 0);
    assert_may(&guard, value_number(19.9), 0);
    assert_may_not(&guard, value_number(20.35), 0, "out_of_range");
}

static void no_faster_than(void **state)
{
    struct guard_settings settings = {.max_rate = 10};
    struct guard guard;

    (void)state;
    guard_init(&guard, &settings, 0);
    assert_may(&guard, value_number(1000), 0); /* from what is not known, to anything */
    see(&guard, value_number(50), 1000);
    assert_may_not(&guard, value_number(60), 1999, "rate_limited");
    assert_may(&guard, value_number(60), 2000);
    assert_may(&guard, value_number(55), 1500);
    assert_may_not(&guard, value_number(61), 100000, "rate_limited"); /* patience is not saved up */
    assert_may(&guard, value_number(50), 1000);
}

static void on_and_off_for_long_enough(void **state)
{
    struct guard_settings settings = {.min_on_ms = 3000, .min_off_ms = 5000};
    struct guard guard;

    (void)state;
    guard_init(&guard, &settings, 0);
    assert_may_not(&guard, value_bool(true), 4999, "rate_limited"); /* of what is not known */
    assert_may_not(&guard, value_bool(false), 2999, "rate_limited");
    assert_may(&guard, value_bool(true), 5000);
    see(&guard, value_bool(false), 0); /* who knows for how long already */
    assert_may_not(&guard, value_bool(true), 4999, "rate_limited");
    assert_may(&guard, value_bool(false), 1);
    assert_may(&guard, value_bool(true), 5000);
    see(&guard, value_bool(true), 5000);
    see(&guard, value_bool(true), 7999); /* seen again is no change */
    assert_may_not(&guard, value_bool(false), 7999, "rate_limited");
    assert_may(&guard, value_bool(false), 8000);
    assert_may(&guard, value_bool(true), 7999);
}

static void started_not_too_often(void **state)
{
    struct guard_settings settings = {.starts_per_hour = 2};
    struct guard guard;

    (void)state;
    guard_init(&guard, &settings, 0);
    see(&guard, value_bool(false), 0);
    see(&guard, value_bool(true), 1 * MINUTE_MS);
    see(&guard, value_bool(false), 2 * MINUTE_MS);
    assert_may(&guard, value_bool(true), 3 * MINUTE_MS);
    see(&guard, value_bool(true), 3 * MINUTE_MS);
    see(&guard, value_bool(false), 4 * MINUTE_MS);
    assert_may_not(&guard, value_bool(true), 61 * MINUTE_MS - 1, "rate_limited");
    assert_may(&guard, value_bool(true), 61 * MINUTE_MS);
    see(&guard, value_bool(true), 61 * MINUTE_MS);
    see(&guard, value_bool(false), 62 * MINUTE_MS);
    assert_may_not(&guard, value_bool(true), 63 * MINUTE_MS - 1, "rate_limited");
    assert_may(&guard, value_bool(true), 63 * MINUTE_MS);
}

static void many_starts_wrap_around(void **state)
{
    struct guard_settings settings = {.starts_per_hour = GUARD_STARTS_MAX};
    struct guard guard;
    int64_t now_ms = 0;

    (void)state;
    guard_init(&guard, &settings, 0);
    for (int i = 0; i < 5 * GUARD_STARTS_MAX; i++, now_ms += MINUTE_MS / 2) {
        see(&guard, value_bool(false), now_ms);
        assert_may(&guard, value_bool(true), now_ms + 1);
        see(&guard, value_bool(true), now_ms + 1);
    }
    see(&guard, value_bool(false), now_ms - 2);
    assert_may_not(&guard, value_bool(true), now_ms - 1, "rate_limited");
}

static void not_on_for_too_long(void **state)
{
    struct guard_settings settings = {.max_on_ms = 1000};
    struct guard guard;

    (void)state;
    guard_init(&guard, &settings, 0);
    assert_true(guard_expiry_ms(&guard) == INT64_MAX);
    see(&guard, value_number(3), 10);
    see(&guard, value_number(4), 500); /* is on all the same */
    assert_int_equal(guard_expiry_ms(&guard), 1010);
    see(&guard, value_number(0), 900);
    assert_true(guard_expiry_ms(&guard) == INT64_MAX);
}

static int configured(struct actuator_settings *out, const char *text, char **problems)
{
    struct config *config;
    size_t size;
    FILE *report = open_memstream(problems, &size);
    int n;

    assert_int_equal(config_open_text(&config, "test.json", text), 0);
    actuator_configure(out, config_root(config));
    n = config_check(config) ? 0 : 1;
    config_report(config, report);
    fclose(report);
    config_close(config);
    return n;
}

static void is_configured(void **state)
{
    struct actuator_settings out;
    char *problems;

    (void)state;
    assert_int_equal(
        configured(&out,
                   "{\"name\":\"speed\",\"type\":\"number\",\"min\":5,\"max\":100,\"safe\":0,"
                   "\"dry_run\":true,\"guard\":{\"allowed\":[0,5,10],\"step\":5,\"max_rate\":2.5,"
                   "\"min_on\":\"3s\",\"min_off\":\"5s\",\"max_on\":\"1h\",\"starts_per_hour\":6,"
                   "\"exclusive\":\"motors\"}}",
                   &problems),
        1);
    assert_non_null(strstr(problems, "safe")); /* 0 is below min */
    free(problems);
    assert_int_equal(
        configured(&out,
                   "{\"name\":\"speed\",\"type\":\"number\",\"min\":0,\"safe\":0,"
                   "\"dry_run\":true,\"guard\":{\"allowed\":[0,5,10],\"step\":5,\"max_rate\":2.5,"
                   "\"min_on\":\"3s\",\"min_off\":\"5s\",\"max_on\":\"1h\",\"starts_per_hour\":6,"
                   "\"exclusive\":\"motors\"}}",
                   &problems),
        0);
    free(problems);
    assert_true(out.dry_run);
    assert_int_equal(out.guard.n_allowed, 3);
    assert_true(out.guard.allowed[2].number == 10);
    assert_true(out.guard.max_rate == 2.5);
    assert_int_equal(out.guard.min_on_ms, 3000);
    assert_int_equal(out.guard.min_off_ms, 5000);
    assert_int_equal(out.guard.max_on_ms, 3600000);
    assert_int_equal(out.guard.starts_per_hour, 6);
    assert_string_equal(out.guard.exclusive, "motors");
}

static void assert_problem(const char *guard, const char *expected)
{
    struct actuator_settings out;
    char text[512];
    char *problems;

    snprintf(text, sizeof text, "{\"name\":\"fan\",\"guard\":{%s}}", guard);
    assert_int_equal(configured(&out, text, &problems), 1);
    if (!strstr(problems, expected))
        fail_msg("\"%s\" is not in: %s", expected, problems);
    free(problems);
}

static void what_makes_no_sense_is_named(void **state)
{
    (void)state;
    assert_problem("\"max_on\":\"1m\"", "guard.max_on: needs a \"safe\" value");
    assert_problem("\"step\":2", "guard.step"); /* of a switch */
    assert_problem("\"min_onn\":\"1s\"", "guard.min_onn");
    assert_problem("\"starts_per_hour\":1000", "guard.starts_per_hour");
    assert_problem("\"exclusive\":\"Not A Name\"", "guard.exclusive");
    assert_problem("\"min_on\":\"2m\",\"max_on\":\"1m\"", "shorter than \"min_on\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_is_allowed),
                                       cmocka_unit_test(in_steps),
                                       cmocka_unit_test(no_faster_than),
                                       cmocka_unit_test(on_and_off_for_long_enough),
                                       cmocka_unit_test(started_not_too_often),
                                       cmocka_unit_test(many_starts_wrap_around),
                                       cmocka_unit_test(not_on_for_too_long),
                                       cmocka_unit_test(is_configured),
                                       cmocka_unit_test(what_makes_no_sense_is_named)};

    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
