#include "board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct board board;
static struct board_answer answer;

static const char *ask(const char *line)
{
    board_answer(&board, line, &answer);
    return answer.text;
}

static int set_up(void **state)
{
    (void)state;
    board_init(&board, 1);
    board.greenhouse.temperature = 23.46;
    board.greenhouse.humidity = 68;
    board.greenhouse.soil_moisture = 41.2;
    board.greenhouse.light = 812;
    return 0;
}

static void test_answers(void **state)
{
    (void)state;
    assert_string_equal(ask("READ_SENSORS"),
                        "TEMP:23.5,HUM:68.0,SOIL:41.2,LIGHT:812,FAN:0,IRRIGATION:0,LED:0\r\n");
    assert_string_equal(ask("LED,13,ON"), "OK\r\n");
    assert_true(board.greenhouse.fan);
    assert_string_equal(ask("GET_DATA"),
                        "{\"temp\":23.5,\"hum\":68.0,\"soil\":41.2,\"light\":812,\"fan\":true,"
                        "\"irrigation\":false,\"led\":false}\r\n");
    ask("LED,12,ON"), ask("LED,11,ON"), ask("LED,13,OFF");
    assert_string_equal(ask("READ_SENSORS"),
                        "TEMP:23.5,HUM:68.0,SOIL:41.2,LIGHT:812,FAN:0,IRRIGATION:1,LED:1\r\n");
}

static void test_refusals(void **state)
{
    const char *const lines[] = {"LED,10,ON",   "LED,13,on",   "LED,13",           "LED,,ON",
                                 "HELLO",       "SIM,SET,x,1", "SIM,SET,temp,nan", "SIM,garbage,2",
                                 "SIM,slow,-1", "SIM,what,1"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_memory_equal(ask(lines[i]), "ERR,", 4);
        assert_string_equal(answer.text + answer.length - 2, "\r\n");
    }
    assert_false(board.greenhouse.fan);
}

static void test_set_and_stuck(void **state)
{
    (void)state;
    assert_string_equal(ask("SIM,SET,temp,35.0"), "OK\r\n");
    assert_string_equal(ask("SIM,stuck,temp"), "OK\r\n");
    board.greenhouse.temperature = 20;
    assert_memory_equal(ask("READ_SENSORS"), "TEMP:35.0,", 10);
    ask("SIM,stuck,none");
    assert_memory_equal(ask("READ_SENSORS"), "TEMP:20.0,", 10);
}

static void test_faults(void **state)
{
    (void)state;
    ask("SIM,slow,40");
    ask("READ_SENSORS");
    assert_int_equal(answer.delay_ms, 40);
    ask("SIM,partial,1");
    ask("LED,13,ON");
    assert_int_equal(answer.length, 2);
    assert_true(board.greenhouse.fan);
    ask("SIM,garbage,1");
    assert_memory_not_equal(ask("READ_SENSORS"), "TEMP:", 5);
    assert_string_equal(answer.text + answer.length - 2, "\r\n");
    ask("SIM,silent,1");
    ask("READ_SENSORS");
    assert_int_equal(answer.length, 0);
    assert_string_equal(ask("SIM,silent,0"), "OK\r\n");
}

static void test_a_share_is_a_share(void **state)
{
    int silent = 0;

    (void)state;
    ask("SIM,silent,0.25");
    for (int i = 0; i < 4000; i++) {
        ask("READ_SENSORS");
        silent += answer.length == 0;
    }
    assert_in_range(silent, 900, 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answers, set_up),
        cmocka_unit_test_setup(test_refusals, set_up),
        cmocka_unit_test_setup(test_set_and_stuck, set_up),
        cmocka_unit_test_setup(test_faults, set_up),
        cmocka_unit_test_setup(test_a_share_is_a_share, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
