/* settings.c, settings_points.c and output.c: what a configuration becomes. */
#include "output.h"
#include "sample.h"
#include "settings.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One bus with one device, of which the rest is given. */
#define DEVICE(rest)                                                                         \
    "{\"buses\": [{\"url\": \"tcp://h:1\", \"devices\": [{\"location\": \"l\", \"device\": " \
    "\"d\", " rest "}]}]}"
#define POINT(rest) \
    DEVICE("\"groups\": [{\"measurement\": \"m\", \"points\": [{\"name\": \"p\", " rest "}]}]")
#define ACTUATOR(rest) DEVICE("\"actuators\": [{\"name\": \"a\", " rest "}]")

#define FLOW                                                                              \
    "\"groups\": [{\"measurement\": \"m\", \"points\": [{\"name\": \"flow\", \"table\": " \
    "\"input\", "                                                                         \
    "\"address\": 1}]}], "

struct loaded {
    struct config *config;
    struct settings *settings;
    bool good;
};

static struct loaded load(const char *text)
{
    struct loaded loaded;

    assert_int_equal(config_open_text(&loaded.config, "test", text), 0);
    assert_int_equal(settings_read(&loaded.settings, config_root(loaded.config)), 0);
    loaded.good = config_check(loaded.config);
    return loaded;
}

static void unload(struct loaded *loaded)
{
    settings_free(loaded->settings);
    config_close(loaded->config);
}

/* The problems as text must hold `expected`. */
static void assert_problem(const char *text, const char *expected)
{
    struct loaded loaded = load(text);
    char *report = NULL;
    size_t size;
    FILE *out = open_memstream(&report, &size);

    config_report(loaded.config, out);
    fclose(out);
    if (loaded.good || !strstr(report, expected))
        fail_msg("no \"%s\" in \"%s\" for %s", expected, report, text);
    free(report);
    unload(&loaded);
}

static void reads_what_the_demo_uses(void **state)
{
    struct config *config;
    struct settings *settings;
    const struct unit_settings *unit;

    (void)state;
    assert_int_equal(config_open(&config, SOURCE_DIR "/deploy/config/modbus-agent.json"), 0);
    assert_int_equal(settings_read(&settings, config_root(config)), 0);
    assert_int_equal(settings->n_buses, 1);
    assert_int_equal(settings->buses[0]->n_units, 2);
    unit = settings->buses[0]->units[0];
    assert_int_equal(unit->n_groups, 2);
    assert_int_equal(unit->n_actuators, 2);
    assert_int_equal(unit->breaker_failures, 5);
    assert_int_equal(unit->breaker_open_ms, 60000);
    assert_string_equal(unit->groups[0].points[0].point.name, "temperature");
    assert_true(unit->groups[0].points[0].point.divide == 100);
    assert_string_equal(unit->groups[0].points[0].point.unit, "°C");
    assert_int_equal(unit->groups[0].plan.n_requests, 1);
    unit = settings->buses[0]->units[1];
    assert_int_equal(unit->unit, 1); /* the same, as another device */
    assert_int_equal(unit->breaker_of, 0);
    settings_free(settings);
    config_close(config);
}

static void gives_defaults(void **state)
{
    struct loaded loaded = load(POINT("\"table\": \"coil\", \"address\": 7"));
    const struct unit_settings *unit = loaded.settings->buses[0]->units[0];

    (void)state;
    assert_true(loaded.good);
    assert_int_equal(unit->unit, 1);
    assert_int_equal(unit->groups[0].period_ms, 1000);
    assert_int_equal(unit->groups[0].points[0].encoding.type, DATA_BOOL);
    assert_int_equal(unit->groups[0].points[0].point.type, POINT_BOOL);
    assert_int_equal(loaded.settings->buses[0]->timeout_ms, 500);
    unload(&loaded);
    loaded = load(POINT("\"table\": \"input\", \"address\": 7"));
    unit = loaded.settings->buses[0]->units[0];
    assert_int_equal(unit->groups[0].points[0].encoding.type, DATA_UINT16);
    unload(&loaded);
}

static void names_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{}", "buses"},
        {DEVICE("\"unit\": 1"), "neither groups to read nor actuators"},
        {DEVICE("\"unit\": 250, \"actuators\": []"), "reserved"},
        {DEVICE("\"groups\": [{\"measurement\": \"m\"}]"), "points"},
        {POINT("\"address\": 1"), "points[0]"},
        {POINT("\"table\": \"input\""), "address"},
        {POINT("\"table\": \"input\", \"address\": 65536"), "address"},
        {POINT("\"table\": \"input\", \"address\": 65533, \"type\": \"float64\""), "beyond 65535"},
        {POINT("\"table\": \"discrete\", \"address\": 1, \"type\": \"int16\""), "nothing else"},
        {POINT("\"table\": \"input\", \"address\": 1, \"order\": \"CDAB\""),
         "is no order of uint16"},
        {POINT("\"table\": \"input\", \"address\": 1, \"type\": \"bit\""), "bit"},
        {POINT("\"table\": \"input\", \"address\": 1, \"type\": \"string\""), "length"},
        {POINT("\"table\": \"input\", \"address\": 1, \"adress\": 2"), "adress"},
        {POINT("\"table\": \"input\", \"address\": 1, \"divide\": 0"), "divide"},
        {POINT(
             "\"table\": \"input\", \"address\": 1, \"type\": \"bits\", \"bit\": 12, \"width\": 5"),
         "width"},
        {POINT("\"table\": \"input\", \"address\": 1, \"type\": \"int8\", \"byte\": \"top\""),
         "byte"},
        {POINT("\"table\": \"input\", \"address\": 1, \"names\": {\"on\": \"x\"}"), "is no number"},
        {POINT("\"table\": \"input\", \"address\": 1, \"divide\": 2, \"names\": {\"1\": \"x\"}"),
         "does not go with"},
        {POINT("\"table\": \"input\", \"address\": 1, \"type\": \"string\", \"length\": 2, "
               "\"names\": {\"1\": \"x\"}"),
         "not for a string"},
        {ACTUATOR("\"table\": \"input\", \"address\": 1"), "table"},
        {ACTUATOR("\"table\": \"holding\", \"address\": 1, \"type\": \"bit\", \"bit\": 1"),
         "cannot be written"},
        {ACTUATOR("\"table\": \"holding\", \"address\": 1, \"min\": 70000"), "no value"},
        {ACTUATOR("\"table\": \"holding\", \"address\": 1, \"scale\": 0"), "scale"},
        {DEVICE(FLOW "\"watchdog\": {\"address\": 1, \"input_stale\": \"1s\", \"inputs\": "
                     "[\"flow\", \"gone\"]}"),
         "watchdog.inputs: reads gone, which this device does not have; it has m.flow"},
        {DEVICE(FLOW "\"actuators\": [{\"name\": \"a\", \"table\": \"coil\", \"address\": 1, "
                     "\"guard\": {\"interlock\": \"flwo > 1 and age(flow) < 9s\"}}]"),
         "actuators[0].guard.interlock: reads flwo, which this device does not have; is \"flow\" "
         "meant?"},
        {DEVICE(FLOW "\"actuators\": [{\"name\": \"a\", \"table\": \"coil\", \"address\": 1, "
                     "\"safe\": false, \"fail_safe\": {\"input_stale\": \"1s\", \"inputs\": "
                     "[\"pressure\"]}}]"),
         "actuators[0].fail_safe.inputs: reads pressure"},
        {DEVICE("\"watchdog\": {}, \"actuators\": []"), "devices[0].watchdog.address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_problem(cases[i].text, cases[i].expected);
}

static void refuses_two_of_a_name_and_two_of_a_place(void **state)
{
    (void)state;
    assert_problem(DEVICE("\"actuators\": [{\"name\": \"a\", \"table\": \"coil\", \"address\": 1}, "
                          "{\"name\": \"a\", \"table\": \"coil\", \"address\": 2}]"),
                   "actuators[1]");
    assert_problem("{\"buses\": [{\"url\": \"tcp://h:1\", \"devices\": ["
                   "{\"location\": \"l\", \"device\": \"d\"}, {\"location\": \"l\", \"device\": "
                   "\"d\"}]}]}",
                   "l/d is already buses[0].devices[0]");
    assert_problem("{\"buses\": [{\"url\": \"tcp://h:502\"}, {\"url\": \"tcp://h\"}]}",
                   "is the place of buses[0]");
}

#define ACTS(rest)                                                       \
    "{\"location\": \"l\", " rest ", \"actuators\": [{\"name\": \"a\", " \
    "\"table\": \"coil\", \"address\": 1}]}"
#define BUS(devices) "{\"buses\": [{\"url\": \"tcp://h:1\", \"devices\": [" devices "]}]}"

static void shares_the_breaker_of_a_unit(void **state)
{
    struct loaded loaded = load(BUS(
        ACTS("\"unit\": 4, \"device\": \"d\"") "," ACTS("\"unit\": 5, \"device\": \"e\"") "," ACTS(
            "\"unit\": 5, \"device\": \"f\"") "," ACTS("\"unit\": 4, \"device\": \"g\"")));
    const size_t expected[] = {0, 1, 1, 0};

    (void)state;
    assert_true(loaded.good);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(loaded.settings->buses[0]->units[i]->breaker_of, expected[i]);
    unload(&loaded);
    assert_problem(BUS(ACTS("\"device\": \"d\"") "," ACTS(
                       "\"device\": \"e\", \"breaker\": {\"failures\": 2}")),
                   "differs from that of devices[0]");
}

static void refuses_a_text_longer_than_the_device_takes(void **state)
{
    (void)state;
    assert_problem(DEVICE("\"max_registers\": 10, \"groups\": [{\"measurement\": \"m\", "
                          "\"points\": [{\"name\": \"p\", \"table\": \"input\", \"address\": 1, "
                          "\"type\": \"string\", \"length\": 11}]}]"),
                   "longer than the 10 registers");
}

#define TEMPLATED(name, rest)                                                                 \
    "{\"templates\": \"" SOURCE_DIR "/deploy/config/devices\", \"buses\": [{\"url\": "        \
    "\"rtu:///dev/x\", \"devices\": [{\"location\": \"l\", \"device\": \"d\", \"template\": " \
    "\"" name "\"" rest "}]}]}"

static void takes_devices_from_templates(void **state)
{
    static const char *const files[] = {
        TEMPLATED("eastron_sdm630", ""), TEMPLATED("eastron_sdm120", ""),
        TEMPLATED("waveshare_relay_8", ""), TEMPLATED("abb_acs355", "")};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct loaded loaded = load(files[i]);

        assert_true(loaded.good);
        assert_true(loaded.settings->buses[0]->units[0]->n_groups > 0);
        assert_true(loaded.settings->buses[0]->units[0]->groups[0].n_points > 0);
        unload(&loaded);
    }
    assert_problem(TEMPLATED("eastron_sdm999", ""), "eastron_sdm999.json");
    assert_problem(TEMPLATED("../x", ""), "is no name");
    assert_problem(TEMPLATED("abb_acs355", ", \"groups\": []"), "is the template's to say");
}

static void gives_numbers_their_names(void **state)
{
    struct loaded loaded = load(POINT("\"table\": \"input\", \"address\": 7, \"type\": \"bits\", "
                                      "\"bit\": 4, \"width\": 4, "
                                      "\"names\": {\"0\": \"off\", \"2\": \"running\"}"));
    const struct group_point *point = &loaded.settings->buses[0]->units[0]->groups[0].points[0];
    struct reading reading = {0};
    char text[DECODE_TEXT_SIZE];

    (void)state;
    assert_true(loaded.good);
    assert_int_equal(point->point.type, POINT_TEXT);
    assert_int_equal(sample_add(point, &reading, &(uint16_t){0xff2f}, text), 0);
    assert_int_equal(sample_add(point, &reading, &(uint16_t){0xff1f}, text), 0);
    assert_int_equal(reading.n_fields, 1);
    assert_string_equal(reading.fields[0].value.text, "running");
    assert_int_equal(reading.n_faults, 1); /* 1 has none, and a text does not become a number */
    assert_string_equal(reading.faults[0].reason, "out_of_range");
    reading_free(&reading);
    unload(&loaded);
}

static void converts_outputs_both_ways(void **state)
{
    struct output output = {
        .encoding = {.type = DATA_INT16}, .scale = 1, .divide = 10, .offset = -40};
    struct value value = value_number(-17.5);
    uint16_t cells[OUTPUT_CELLS_MAX];
    double min;
    double max;

    (void)state;
    assert_int_equal(output_encode(&output, &value, cells), 0);
    assert_int_equal(cells[0], 225);
    assert_true(output_decode(&output, cells).number == -17.5);
    output_range(&output, &min, &max);
    assert_true(min == -3316.8 && max == 3236.7);
    value.number = 3300;
    assert_int_equal(output_encode(&output, &value, cells), -ERANGE);
    output = (struct output){.encoding = {.type = DATA_UINT16}, .scale = -0.5};
    value.number = -21;
    assert_int_equal(output_encode(&output, &value, cells), 0);
    assert_int_equal(cells[0], 42);
    output_range(&output, &min, &max); /* the other way round */
    assert_true(min == -32767.5 && max == 0);
    output = (struct output){.span.table = TABLE_COIL, .encoding = {.type = DATA_BOOL}, .scale = 1};
    value = value_bool(true);
    assert_int_equal(output_encode(&output, &value, cells), 0);
    assert_int_equal(cells[0], 1);
    assert_true(output_decode(&output, cells).boolean);
    value = value_text("on");
    assert_int_equal(output_encode(&output, &value, cells), -EINVAL);
}

static void limits_an_actuator_to_what_its_register_holds(void **state)
{
    struct loaded loaded = load(ACTUATOR("\"table\": \"holding\", \"address\": 1, \"max\": 2000"));
    const struct actuator_settings *actuator = loaded.settings->buses[0]->units[0]->actuators;

    (void)state;
    assert_true(loaded.good);
    assert_int_equal(actuator->type, ACTUATOR_NUMBER);
    assert_true(actuator->min == 0 && actuator->max == 2000);
    unload(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_demo_uses),
        cmocka_unit_test(gives_defaults),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(refuses_two_of_a_name_and_two_of_a_place),
        cmocka_unit_test(shares_the_breaker_of_a_unit),
        cmocka_unit_test(refuses_a_text_longer_than_the_device_takes),
        cmocka_unit_test(takes_devices_from_templates),
        cmocka_unit_test(gives_numbers_their_names),
        cmocka_unit_test(converts_outputs_both_ways),
        cmocka_unit_test(limits_an_actuator_to_what_its_register_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
