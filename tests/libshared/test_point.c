/* Points: every conversion, every fault, and what the configuration refuses. */
#include "point.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct point number_point(void)
{
    return (struct point){.name = "p",
                          .type = POINT_NUMBER,
                          .scale = 1,
                          .decimals = -1,
                          .min = -INFINITY,
                          .max = INFINITY};
}

static void assert_good(const struct point *point, struct value raw, struct value expected)
{
    struct reading reading = {0};

    assert_int_equal(point_add(point, &reading, raw), 0);
    assert_int_equal(reading.n_faults, 0);
    assert_int_equal(reading.n_fields, 1);
    assert_true(value_equal(&reading.fields[0].value, &expected));
    reading_free(&reading);
}

static void assert_bad(const struct point *point, struct value raw, const char *reason)
{
    struct reading reading = {0};

    assert_int_equal(point_add(point, &reading, raw), 0);
    assert_int_equal(reading.n_fields, 0);
    assert_int_equal(reading.n_faults, 1);
    assert_string_equal(reading.faults[0].name, "p");
    assert_string_equal(reading.faults[0].reason, reason);
    reading_free(&reading);
}

static void scales_and_rounds(void **state)
{
    struct point point = number_point();

    (void)state;
    assert_good(&point, value_number(23.5), value_number(23.5));
    assert_good(&point, value_bool(true), value_number(1));
    point.scale = 0.01;
    point.offset = -40;
    point.decimals = 1;
    assert_good(&point, value_number(6549), value_number(25.5));
    assert_good(&point, value_number(-6549), value_number(-105.5));
    point.decimals = 12;
    assert_good(&point, value_number(1e300), value_number(1e300 * 0.01 - 40));
}

static void reads_numbers_from_text(void **state)
{
    struct point point = number_point();

    (void)state;
    assert_good(&point, value_text("-1.25e1"), value_number(-12.5));
    assert_bad(&point, value_text("23,5"), "not_a_number");
    assert_bad(&point, value_text("nan"), "not_a_number");
    assert_bad(&point, value_text(""), "not_a_number");
    assert_bad(&point, value_text("1 "), "not_a_number");
}

static void refuses_what_is_out_of_range_or_means_nothing(void **state)
{
    struct point point = number_point();

    (void)state;
    point.min = 0;
    point.max = 100;
    point.scale = 0.1;
    point.not_values[point.n_not_values++] = 65535;
    assert_good(&point, value_number(0), value_number(0));
    assert_good(&point, value_number(1000), value_number(100));
    assert_bad(&point, value_number(1001), "out_of_range");
    assert_bad(&point, value_number(-1), "out_of_range");
    assert_bad(&point, value_number(65535), "missing");
    assert_bad(&point, (struct value){.type = VALUE_NONE}, "missing");
    point.min = -INFINITY;
    point.max = INFINITY;
    point.scale = 1e300;
    assert_bad(&point, value_number(1e300), "not_a_number");
}

static void reads_booleans(void **state)
{
    static const char *const yes[] = {"1", "on", "ON", "true", "True"};
    static const char *const no[] = {"0", "off", "OFF", "false", "FALSE"};
    struct point point = {.name = "p", .type = POINT_BOOL};

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        assert_good(&point, value_text(yes[i]), value_bool(true));
        assert_good(&point, value_text(no[i]), value_bool(false));
    }
    assert_good(&point, value_number(1), value_bool(true));
    assert_good(&point, value_bool(false), value_bool(false));
    assert_bad(&point, value_number(2), "out_of_range");
    assert_bad(&point, value_text("yes"), "out_of_range");
    assert_bad(&point, (struct value){.type = VALUE_NONE}, "missing");
}

static void passes_texts_on(void **state)
{
    struct point point = {.name = "p", .type = POINT_TEXT};

    (void)state;
    assert_good(&point, value_text("running"), value_text("running"));
    assert_bad(&point, value_number(3), "out_of_range");
}

static void is_configured(void **state)
{
    struct config *config;
    struct point point;

    (void)state;
    assert_int_equal(
        config_open_text(&config, "test",
                         "{\"name\": \"temperature\", \"unit\": \"°C\", \"divide\": 100,"
                         " \"offset\": 1, \"decimals\": 2,"
                         " \"valid\": {\"min\": -40, \"max\": 80, \"not\": [32767, 65535]}}"),
        0);
    point_configure(&point, config_root(config));
    assert_true(config_check(config));
    assert_string_equal(point.name, "temperature");
    assert_string_equal(point.unit, "°C");
    assert_int_equal(point.type, POINT_NUMBER);
    assert_true(point.scale == 1 && point.divide == 100 && point.offset == 1 &&
                point.decimals == 2);
    assert_true(point.min == -40 && point.max == 80);
    assert_int_equal(point.n_not_values, 2);
    assert_true(point.not_values[1] == 65535);
    config_close(config);
}

/* What config_report() says about a point's configuration; empty where it is good. */
static void report_on(const char *text, char out[512])
{
    struct config *config;
    struct point point;
    FILE *stream = fmemopen(out, 512, "w");

    out[0] = '\0';
    assert_non_null(stream);
    assert_int_equal(config_open_text(&config, "test", text), 0);
    point_configure(&point, config_root(config));
    if (!config_check(config))
        config_report(config, stream);
    fclose(stream);
    config_close(config);
}

static void configuration_problems_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *named;
    } cases[] = {
        {"{}", "name"},
        {"{\"name\": \"Temp\"}", "name"},
        {"{\"name\": \"p\", \"divide\": 0}", "divide"},
        {"{\"name\": \"p\", \"divide\": 2, \"scale\": 2}", "divide"},
        {"{\"name\": \"p\", \"valid\": {\"min\": 2, \"max\": 1}}", "valid.min"},
        {"{\"name\": \"p\", \"valid\": {\"not\": [1,2,3,4,5,6,7,8,9]}}", "valid.not"},
        {"{\"name\": \"p\", \"decimals\": 13}", "decimals"},
        {"{\"name\": \"p\", \"decimal\": 1}", "decimals"},
        {"{\"name\": \"p\", \"type\": \"int\"}", "type"},
    };
    char report[512];

    (void)state;
    report_on("{\"name\": \"p\"}", report);
    assert_string_equal(report, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        report_on(cases[i].text, report);
        if (!strstr(report, cases[i].named))
            fail_msg("%s: the report names no %s: %s", cases[i].text, cases[i].named, report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_and_rounds),
        cmocka_unit_test(reads_numbers_from_text),
        cmocka_unit_test(refuses_what_is_out_of_range_or_means_nothing),
        cmocka_unit_test(reads_booleans),
        cmocka_unit_test(passes_texts_on),
        cmocka_unit_test(is_configured),
        cmocka_unit_test(configuration_problems_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
