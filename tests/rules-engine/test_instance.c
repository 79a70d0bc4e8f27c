/* What the names in an expression stand for, and what they are worth: a derived value is computed
 * from readings of several devices. */
#include "config.h"
#include "engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct stand {
    struct config *config;
    struct settings *settings;
    struct engine *engine;
    struct buffer out; /* of the last derived reading, "15", or its fault */
    int64_t time_ms;
    uint64_t seq;
};

static void on_reading(void *self, const struct engine_place *place, const char *measurement,
                       const char *derived, const struct reading *reading)
{
    struct stand *stand = self;
    (void)place, (void)measurement, (void)derived;
    buffer_clear(&stand->out);
    if (reading->n_faults > 0)
        buffer_text(&stand->out, reading->faults[0].reason);
    else if (reading->fields[0].value.type == VALUE_TEXT)
        buffer_text(&stand->out, reading->fields[0].value.text);
    else
        buffer_number(&stand->out, reading->fields[0].value.number);
}

static void open_stand(struct stand *stand, const char *expression)
{
    static const struct engine_handlers handlers = {.on_reading = on_reading};
    struct buffer json = {0};
    void *settings;
    *stand = (struct stand){.time_ms = 1000000};
    buffer_format(&json,
                  "{\"derived\":[{\"name\":\"d\",\"select\":{\"device\":\"tank\",\"measurement\":"
                  "\"levels\"},\"measurement\":\"out\",\"values\":{\"v\":\"%s\"}}]}",
                  expression);
    assert_int_equal(config_open_text(&stand->config, "rules.json", buffer_string(&json)), 0);
    assert_int_equal(settings_configure(&settings, config_root(stand->config)), 0);
    assert_true(config_check(stand->config));
    stand->settings = settings;
    assert_int_equal(engine_open(&stand->engine, settings, &handlers, stand), 0);
    buffer_free(&json);
}

static void close_stand(struct stand *stand)
{
    engine_close(stand->engine);
    settings_discard(stand->settings);
    config_close(stand->config);
    buffer_free(&stand->out);
}

/* A second passes; `value` none is a fault. */
static void read_value(struct stand *stand, const char *device, const char *measurement,
                       struct value value)
{
    struct reading reading = {0};
    struct engine_place place = {"plant", device};
    stand->time_ms += 1000;
    reading_reset(&reading, stand->time_ms, ++stand->seq);
    if (value.type == VALUE_NONE)
        reading_add_fault(&reading, "x", "timeout");
    else
        reading_add(&reading, "x", value);
    assert_int_equal(
        engine_reading(stand->engine, &place, measurement, &reading, false, stand->time_ms), 0);
    reading_free(&reading);
}

static void level(struct stand *stand, double x)
{
    read_value(stand, "tank", "levels", value_number(x));
}

static void expect(struct stand *stand, const char *out)
{
    assert_string_equal(buffer_string(&stand->out), out);
}

static void test_names(void **state)
{
    static const struct {
        const char *expression, *device, *measurement;
    } cases[] = {
        {"x", "tank", "levels"},
        {"flows.x", "tank", "flows"},
        {"levels.x", "tank", "levels"},
        {"tank_2.x", "tank_2", "levels"},
        {"tank_2.flows.x", "tank_2", "flows"},
        {"plant.tank_2.flows.x", "tank_2", "flows"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stand stand;
        open_stand(&stand, cases[i].expression);
        level(&stand, 1);
        expect(&stand, i == 0 || i == 2 ? "1" : "missing");
        read_value(&stand, cases[i].device, cases[i].measurement, value_number(7));
        expect(&stand, "7");
        close_stand(&stand);
    }
}

/* `flows.x`: there is a device of that name, but the selected one has a measurement so called. */
static void test_own_measurement_first(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand, "flows.x + mean(flows.x, 1s)");
    level(&stand, 1);
    read_value(&stand, "flows", "levels", value_number(7));
    read_value(&stand, "flows", "levels", value_number(8));
    expect(&stand, "16");
    read_value(&stand, "tank", "flows", value_number(2));
    expect(&stand, "missing"); /* that window has only begun */
    read_value(&stand, "tank", "flows", value_number(3));
    expect(&stand, "6");
    close_stand(&stand);
}

static void test_rate_and_previous(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand, "rate(x) + 100 * previous(x)");
    level(&stand, 1);
    expect(&stand, "missing");
    level(&stand, 3);
    expect(&stand, "102");
    read_value(&stand, "tank", "levels", (struct value){.type = VALUE_NONE});
    expect(&stand, "missing");
    level(&stand, 5); /* two seconds after the last good one */
    expect(&stand, "301");
    read_value(&stand, "tank", "levels", value_text("full"));
    expect(&stand, "missing");
    close_stand(&stand);
}

/* A bad value is a hole, a text too; a boolean counts; a window nobody fed for 30 s is unknown. */
static void test_holes(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand, "sum(x, 4s) + 100 * count(x, 4s)");
    for (int i = 0; i < 5; i++)
        level(&stand, i);
    expect(&stand, "410");
    read_value(&stand, "tank", "levels", (struct value){.type = VALUE_NONE});
    expect(&stand, "309");
    read_value(&stand, "tank", "levels", value_text("full"));
    expect(&stand, "207");
    read_value(&stand, "tank", "levels", value_bool(true));
    expect(&stand, "205");
    close_stand(&stand);

    open_stand(&stand, "x.x + max(levels.x, 1m)"); /* asked when another device speaks */
    for (int i = 0; i <= 60; i++)
        level(&stand, i);
    read_value(&stand, "x", "levels", value_number(1000));
    expect(&stand, "1060");
    stand.time_ms += 28000;
    read_value(&stand, "x", "levels", value_number(1000));
    expect(&stand, "missing"); /* half of the window is there, but nothing new for 30 s */
    close_stand(&stand);
}

/* What is computed for a device that is away is no word from it. */
static void test_computed_is_no_sign_of_life(void **state)
{
    struct stand stand;
    struct engine_place place = {"plant", "tank"};
    (void)state;
    open_stand(&stand, "x + 0 * b.x");
    level(&stand, 1);
    read_value(&stand, "b", "levels", value_number(1));
    expect(&stand, "1");
    assert_int_equal(engine_status(stand.engine, &place, true, stand.time_ms, stand.time_ms), 0);
    for (int i = 0; i < 2; i++) {
        read_value(&stand, "b", "levels", value_number(i));
        expect(&stand, "missing");
    }
    level(&stand, 2);
    expect(&stand, "2");
    close_stand(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_own_measurement_first),
        cmocka_unit_test(test_rate_and_previous),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_computed_is_no_sign_of_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
