/* When an actuator must go to its safe value, in virtual time. */
#include "actuator_settings.h"
#include "failsafe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_cause(struct failsafe *failsafe, const struct failsafe_signs *signs,
                         int64_t now_ms, const char *expected)
{
    const char *cause = failsafe_judge(failsafe, signs, now_ms);

    assert_string_equal(cause ? cause : "none", expected);
}

static void nothing_is_asked_for(void **state)
{
    struct failsafe_settings settings = {0};
    struct latest latest = {0};
    struct failsafe_signs signs = {.latest = &latest};
    struct failsafe failsafe;

    (void)state;
    assert_false(failsafe_is_used(&settings));
    failsafe_init(&failsafe, &settings, 0);
    assert_cause(&failsafe, &signs, 0, "none");
    assert_cause(&failsafe, &signs, INT64_C(1) << 50, "none");
}

static void the_start_is_one_once(void **state)
{
    struct failsafe_settings settings = {.start = true};
    struct latest latest = {0};
    struct failsafe_signs signs = {.latest = &latest};
    struct failsafe failsafe;

    (void)state;
    failsafe_init(&failsafe, &settings, 0);
    assert_cause(&failsafe, &signs, 0, "start");
    assert_cause(&failsafe, &signs, 1, "none");
}

static void a_lost_broker_is_one_each_time(void **state)
{
    struct failsafe_settings settings = {.broker_lost_ms = 1000};
    struct latest latest = {0};
    struct failsafe_signs signs = {.broker_ms = 500, .latest = &latest};
    struct failsafe failsafe;

    (void)state;
    failsafe_init(&failsafe, &settings, 500);
    assert_cause(&failsafe, &signs, 1499, "none");
    assert_cause(&failsafe, &signs, 1500, "broker_lost");
    assert_cause(&failsafe, &signs, 9999, "none");
    signs.broker_ms = 10000;
    assert_cause(&failsafe, &signs, 10000, "none");
    assert_cause(&failsafe, &signs, 11000, "broker_lost");
}

static void a_silent_controller_is_one(void **state)
{
    struct failsafe_settings settings = {.controller_silent_ms = 2000};
    struct latest latest = {0};
    struct failsafe_signs signs = {.controller_ms = 0, .latest = &latest};
    struct failsafe failsafe;

    (void)state;
    failsafe_init(&failsafe, &settings, 0);
    signs.controller_ms = 1000;
    assert_cause(&failsafe, &signs, 2999, "none");
    assert_cause(&failsafe, &signs, 3000, "controller_silent");
    assert_cause(&failsafe, &signs, 3001, "none");
}

static void take(struct latest *latest, const char *field, int64_t now_ms)
{
    struct reading reading = {0};

    assert_int_equal(reading_add(&reading, field, value_number(1)), 0);
    latest_take(latest, "m", &reading, now_ms);
    reading_free(&reading);
}

static void one_stale_input_is_one(void **state)
{
    struct failsafe_settings settings = {
        .input_stale_ms = 1000, .inputs = {"level", "flow"}, .n_inputs = 2};
    struct latest latest = {0};
    struct failsafe_signs signs = {.latest = &latest};
    struct failsafe failsafe;

    (void)state;
    failsafe_init(&failsafe, &settings, 100);
    take(&latest, "level", 200);
    assert_cause(&failsafe, &signs, 1099, "none"); /* flow has until 1,000 after the start */
    assert_cause(&failsafe, &signs, 1100, "input_stale");
    take(&latest, "flow", 1150);
    assert_true(failsafe.input_stale);
    assert_cause(&failsafe, &signs, 1150, "none");
    assert_false(failsafe.input_stale);
    take(&latest, "flow", 1190);
    assert_cause(&failsafe, &signs, 1200, "input_stale"); /* level this time */
    latest_free(&latest);
}

static void assert_read(const char *actuator, const char *problem)
{
    struct actuator_settings out;
    struct config *config;
    char *report = NULL;
    size_t size;
    FILE *file = open_memstream(&report, &size);

    assert_int_equal(config_open_text(&config, "test", actuator), 0);
    actuator_configure(&out, config_root(config));
    assert_int_equal(config_check(config), problem == NULL);
    config_report(config, file);
    fclose(file);
    if (problem && !strstr(report, problem))
        fail_msg("\"%s\" is not in: %s", problem, report);
    free(report);
    config_close(config);
}

static void is_configured(void **state)
{
    (void)state;
    assert_read("{\"name\":\"fan\",\"safe\":false,\"fail_safe\":{\"start\":true,\"exit\":true,"
                "\"broker_lost\":\"60s\",\"controller_silent\":\"30s\",\"controller\":\"rules-2\","
                "\"input_stale\":\"10s\",\"inputs\":[\"temperature\"]}}",
                NULL);
    assert_read("{\"name\":\"fan\",\"safe\":\"hold\",\"fail_safe\":{\"start\":true}}", NULL);
    assert_read("{\"name\":\"fan\",\"fail_safe\":{\"exit\":true}}", "fail_safe: needs \"safe\"");
    assert_read("{\"name\":\"fan\",\"safe\":0,\"fail_safe\":{\"broker_lost\":\"1ms\"}}",
                "fail_safe.broker_lost");
    assert_read("{\"name\":\"fan\",\"safe\":0,\"fail_safe\":{\"input_stale\":\"1s\"}}",
                "fail_safe.input_stale: and \"inputs\"");
    assert_read("{\"name\":\"fan\",\"safe\":0,\"fail_safe\":{\"controller_silent\":\"1m\","
                "\"controller\":\"no/name\"}}",
                "fail_safe.controller");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_for),
        cmocka_unit_test(the_start_is_one_once),
        cmocka_unit_test(a_lost_broker_is_one_each_time),
        cmocka_unit_test(a_silent_controller_is_one),
        cmocka_unit_test(one_stale_input_is_one),
        cmocka_unit_test(is_configured),
    };

    return cmocka_run_group_tests_name("failsafe", tests, NULL, NULL);
}
