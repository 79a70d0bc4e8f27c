/* forecast.c: what a bus can bear. */
#include "cost.h"
#include "forecast.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Over TCP a request of one register takes 2.02 ms. */
struct fixture {
    struct plan_request requests[2];
    struct group_settings groups[2];
    struct unit_settings unit;
    struct unit_settings *units[1];
    struct output output;
    struct bus_settings bus;
};

static void add(struct fixture *fixture, int64_t period_ms, unsigned registers)
{
    struct plan_request *request = &fixture->requests[fixture->unit.n_groups];

    request->span = (struct span){TABLE_HOLDING, 0, registers};
    fixture->groups[fixture->unit.n_groups++] = (struct group_settings){
        .period_ms = period_ms, .plan = {.requests = request, .n_requests = 1}};
    fixture->unit.groups = fixture->groups;
    fixture->units[0] = &fixture->unit;
    fixture->bus = (struct bus_settings){.units = fixture->units, .n_units = 1, .timeout_ms = 500};
}

static void adds_up_what_is_due(void **state)
{
    struct fixture fixture = {0};
    struct forecast forecast;

    (void)state;
    add(&fixture, 10, 1);
    add(&fixture, 20, 100);
    forecast = forecast_bus(&fixture.bus);
    assert_float_equal(forecast.cycle_ms, 6.02, 1e-6);
    assert_float_equal(forecast.busy, 0.202 + 0.2, 1e-6);
    assert_true(forecast.write_ms == 0);
    assert_true(forecast_meets(&fixture.bus, &fixture.groups[0]));
    assert_true(forecast_meets(&fixture.bus, &fixture.groups[1]));
}

/* Half the bus's time is free, and yet the long request of the slow group does not fit between. */
static void sees_the_request_that_blocks(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    add(&fixture, 6, 1);
    add(&fixture, 1000, 120); /* 4.4 ms */
    assert_true(forecast_bus(&fixture.bus).busy < 0.5);
    assert_false(forecast_meets(&fixture.bus, &fixture.groups[0]));
    assert_true(forecast_meets(&fixture.bus, &fixture.groups[1]));
    fixture.groups[0].period_ms = 7;
    assert_true(forecast_meets(&fixture.bus, &fixture.groups[0]));
}

static void bounds_a_write(void **state)
{
    struct fixture fixture = {0};
    struct forecast forecast;

    (void)state;
    add(&fixture, 1000, 100);
    fixture.output.span = (struct span){TABLE_COIL, 0, 1};
    fixture.unit.outputs = &fixture.output;
    fixture.unit.n_actuators = 1;
    forecast = forecast_bus(&fixture.bus);
    assert_float_equal(forecast.write_ms, 4 + 2 + 2, 0.1);
    assert_float_equal(forecast.write_silent_ms, 500 + 2 + 2, 0.1);
}

/* 2 ms each 8 ms, where 2 in 10 are free. */
static void feeding_a_watchdog_takes_time_too(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    add(&fixture, 10, 300);
    assert_true(forecast_meets(&fixture.bus, &fixture.groups[0]));
    fixture.unit.feed.span = (struct span){TABLE_HOLDING, 0, 1};
    fixture.unit.feed.watchdog.period_ms = 8;
    assert_float_equal(forecast_bus(&fixture.bus).busy, 0.8 + 0.25, 0.01);
    assert_false(forecast_meets(&fixture.bus, &fixture.groups[0]));
}

static void writes_take_their_frames(void **state)
{
    struct endpoint line = {.serial = true, .baud = 9600, .parity = 'N', .stop_bits = 1};
    struct span one = {TABLE_HOLDING, 0, 1};
    struct span two = {TABLE_HOLDING, 0, 2};
    double byte_us = 10 / 9600.0 * 1e6;

    (void)state;
    assert_float_equal(cost_write_us(&line, &one), (8 + 8 + 7) * byte_us + COST_UNIT_US, 1);
    assert_float_equal(cost_write_us(&line, &two), (13 + 8 + 7) * byte_us + COST_UNIT_US, 1);
}

/* Two units over TCP: the time-out, the drain, then what became due by then and meanwhile. */
static void bounds_what_a_silent_unit_costs(void **state)
{
    struct fixture fixture = {0};
    struct unit_settings other = {.breaker_of = 1};
    struct unit_settings *units[] = {&fixture.unit, &other};

    (void)state;
    add(&fixture, 1000, 1);
    assert_true(forecast_bus(&fixture.bus).late_silent_ms == 0);
    fixture.bus.units = units;
    fixture.bus.n_units = 2;
    assert_float_equal(forecast_bus(&fixture.bus).late_silent_ms, 500 + 20 + 2.02, 0.01);
    add(&fixture, 261, 1); /* comes twice in 522 ms, a third time in 524 */
    fixture.bus.units = units;
    fixture.bus.n_units = 2;
    assert_float_equal(forecast_bus(&fixture.bus).late_silent_ms, 520 + 2.02 + 3 * 2.02, 0.01);
    fixture.groups[1].period_ms = 2;
    assert_true(isinf(forecast_bus(&fixture.bus).late_silent_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_up_what_is_due),
        cmocka_unit_test(sees_the_request_that_blocks),
        cmocka_unit_test(bounds_a_write),
        cmocka_unit_test(feeding_a_watchdog_takes_time_too),
        cmocka_unit_test(writes_take_their_frames),
        cmocka_unit_test(bounds_what_a_silent_unit_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
