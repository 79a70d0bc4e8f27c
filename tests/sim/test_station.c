#include "station.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static struct station station;
static struct station_answer answer;
static char said[STATION_SAID_SIZE];
static int writes;

static const uint8_t read_pressure[] = {4, 0, 5, 0, 1};

static void on_write(void *self, uint8_t unit, enum pdu_table table, uint16_t address,
                     uint16_t value)
{
    (void)self, (void)unit, (void)table, (void)address, (void)value;
    writes++;
}

static int set_up(void **state)
{
    (void)state;
    writes = 0;
    assert_int_equal(station_init(&station, "1,2,7", 1), 0);
    station.on_write = on_write;
    return 0;
}

static int ask(uint8_t unit, const uint8_t *pdu, size_t size)
{
    return station_ask(&station, unit, pdu, size, &answer);
}

static const char *control(const char *line)
{
    station_control(&station, line, said);
    return said;
}

static void test_units(void **state)
{
    const char *const bad[] = {"",    "0", "248", "1,",
                               "1,1", "x", "1;2", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
    static struct station other;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(station_init(&other, bad[i], 1), -EINVAL);
    assert_int_equal(ask(7, read_pressure, 5), 0);
    assert_int_equal(answer.size, 4);
    assert_int_equal(ask(3, read_pressure, 5), -ENOENT);
}

static void test_set_holds_until_freed(void **state)
{
    (void)state;
    assert_string_equal(control("set input 5 35"), "ok");
    for (int i = 0; i < 100; i++)
        station_step(&station);
    assert_string_equal(control("get input 5"), "35");
    ask(1, read_pressure, 5);
    assert_int_equal(answer.pdu[3], 35);
    ask(2, read_pressure, 5);
    assert_int_not_equal(answer.pdu[3], 35);
    assert_string_equal(control("free input 5"), "ok");
    station_step(&station);
    assert_string_not_equal(control("get input 5"), "35");
    assert_string_equal(control("set 7:discrete 2 1"), "ok");
    station_step(&station);
    assert_true(station.units[2].plc.line.emergency_stop);
    assert_true(station.units[2].plc.line.speed == 0);
}

static void test_bad_control_lines(void **state)
{
    const char *const lines[] = {"",
                                 "set",
                                 "set input 5",
                                 "set input 99 1",
                                 "set 9:input 5 1",
                                 "set x 1 1",
                                 "set input 5 70000",
                                 "get coil 4",
                                 "fault",
                                 "fault silent 9",
                                 "fault drop 2",
                                 "fault exception 1",
                                 "fault none 1",
                                 "nonsense"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(station_control(&station, lines[i], said), -EINVAL);
        assert_memory_equal(said, "error", 5);
    }
}

static void test_faults(void **state)
{
    (void)state;
    assert_string_equal(control("fault silent 2"), "ok");
    assert_string_equal(control("fault exception=7:4"), "ok");
    assert_string_equal(control("fault late 1 300"), "ok");
    ask(2, read_pressure, 5);
    assert_int_equal(answer.size, 0);
    ask(7, read_pressure, 5);
    assert_int_equal(answer.pdu[0], 0x84);
    assert_int_equal(answer.pdu[1], 4);
    ask(1, read_pressure, 5);
    assert_int_equal(answer.late_ms, 300);
    assert_string_equal(control("fault drop=1"), "ok");
    ask(1, read_pressure, 5);
    assert_int_equal(answer.size, 0);
    assert_string_equal(control("fault none"), "ok");
    ask(2, read_pressure, 5);
    assert_int_equal(answer.size, 4);
    assert_int_equal(answer.late_ms, 0);
}

static void test_writes(void **state)
{
    const uint8_t start_cooling[] = {5, 0, 0, 0xff, 0};
    const uint8_t too_fast[] = {6, 0, 0, 0x07, 0xd1};

    (void)state;
    ask(1, start_cooling, 5);
    assert_int_equal(writes, 1);
    assert_true(station.units[0].plc.coils[0]);
    ask(1, too_fast, 5);
    assert_int_equal(answer.pdu[1], PDU_ILLEGAL_VALUE);
    assert_int_equal(writes, 1);
    ask(0, start_cooling, 5);
    assert_int_equal(answer.size, 0);
    assert_int_equal(writes, 4);
}

static void test_the_watchdog_lets_go_once_it_is_not_fed(void **state)
{
    struct plc *plc = &station.units[1].plc;

    (void)state;
    assert_false(plc_watch(plc, 1000, 1000000)); /* never fed: none */
    station_feed(&station, 2, 5000);
    station_feed(&station, 3, 5000); /* nobody */
    assert_false(plc_watch(plc, 1000, 5999));
    assert_true(plc->coils[1] && plc->coils[2]);
    assert_true(plc_watch(plc, 1000, 6000));
    assert_true(plc->coils[0] && !plc->coils[1] && !plc->coils[2] && plc->coils[3]);
    plc->coils[1] = true;
    assert_false(plc_watch(plc, 1000, 6100)); /* told once, held on */
    assert_false(plc->coils[1]);
    station_feed(&station, 2, 6200);
    plc->coils[1] = true;
    assert_false(plc_watch(plc, 1000, 6300));
    assert_true(plc->coils[1]);
    assert_true(station.units[0].plc.coils[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_units, set_up),
        cmocka_unit_test_setup(test_set_holds_until_freed, set_up),
        cmocka_unit_test_setup(test_the_watchdog_lets_go_once_it_is_not_fed, set_up),
        cmocka_unit_test_setup(test_bad_control_lines, set_up),
        cmocka_unit_test_setup(test_faults, set_up),
        cmocka_unit_test_setup(test_writes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
