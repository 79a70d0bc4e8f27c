/* The configuration: the demo's own file, and what is refused with its path. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REPORT_SIZE 4096

/* What config_report() says of the file; empty where it is good. */
static void report_on(struct config *config, char out[REPORT_SIZE])
{
    FILE *stream = fmemopen(out, REPORT_SIZE, "w");
    void *settings = NULL;

    out[0] = '\0';
    assert_non_null(stream);
    assert_int_equal(settings_configure(&settings, config_root(config)), 0);
    config_check(config);
    config_report(config, stream);
    fclose(stream);
    settings_discard(settings);
}

static void the_demo_is_read(void **state)
{
    struct config *config;
    struct settings *settings = NULL;
    const struct board_config *board;

    (void)state;
    assert_int_equal(config_open(&config, SOURCE_DIR "/deploy/config/serial-agent.json"), 0);
    assert_int_equal(settings_configure((void **)&settings, config_root(config)), 0);
    assert_int_equal(settings->n_boards, 1);
    board = settings->boards[0];
    assert_string_equal(board->device, "greenhouse_001");
    assert_string_equal(board->link.url, "tcp://greenhouse-sim:4001");
    assert_int_equal(board->board.n_polls, 1);
    assert_string_equal(board->board.polls[0].request, "READ_SENSORS");
    assert_int_equal(board->polls[0].n_points, 7);
    assert_string_equal(board->polls[0].decoder.fields[2], "SOIL");
    assert_int_equal(board->n_outputs, 3);
    assert_string_equal(board->outputs[2].write.text, "LED,11,{ON|OFF}");
    assert_int_equal(board->outputs[2].state_poll, 0);
    assert_string_equal(board->polls[0].points[board->outputs[2].state_point].name, "led");
    settings_discard(settings);
    config_close(config);
}

#define BOARD_WITH(more) \
    "{\"devices\":[{\"location\":\"a\",\"device\":\"b\",\"port\":\"/dev/ttyUSB0\"," more "}]}"
#define POLLS "\"polls\":[{\"request\":\"R\",\"measurement\":\"m\",\"points\":[{\"name\":\"x\"}]}]"

#define STREAM(more, point)                                                                      \
    BOARD_WITH("\"streams\":[{\"measurement\":\"m\"," more ",\"points\":[{\"name\":\"x\"," point \
               "}]}]")
#define OUTPUT(more) \
    BOARD_WITH(POLLS ",\"actuators\":[{\"name\":\"f\",\"write\":\"F{value}\"," more "}]")

static void what_is_wrong_is_named_with_its_path(void **state)
{
    static const struct {
        const char *text;
        const char *named; /* NULL: nothing is wrong */
    } cases[] = {
        {BOARD_WITH(POLLS), NULL},
        {"{}", "devices"},
        {"{\"devices\":[{}]}", "devices[0].port"},
        {BOARD_WITH("\"actuators\":[]"), "devices[0].polls"},
        {BOARD_WITH(POLLS ",\"baud\":0"), "devices[0].baud"},
        {BOARD_WITH(POLLS ",\"line_end\":\"\""), "devices[0].line_end"},
        {BOARD_WITH(POLLS ",\"request_end\":\"12345\""), "at most 4 characters"},
        {BOARD_WITH(POLLS ",\"bord\":1"), "devices[0].bord"},
        {BOARD_WITH(POLLS ",\"backoff\":{\"first\":\"1m\",\"max\":\"1s\"}"),
         "devices[0].backoff.first"},
        {BOARD_WITH("\"polls\":[{\"request\":\"R\\nS\",\"measurement\":\"m\","
                    "\"points\":[{\"name\":\"x\"}]}]"),
         "devices[0].polls[0].request"},
        {BOARD_WITH("\"polls\":[{\"request\":\"R\",\"measurement\":\"m\",\"points\":[]}]"),
         "devices[0].polls[0].points"},
        {BOARD_WITH("\"polls\":[{\"request\":\"R\",\"measurement\":\"m\","
                    "\"points\":[{\"name\":\"x\"},{\"name\":\"x\"}]}]"),
         "devices[0].polls[0].points[1].name"},
        {BOARD_WITH(POLLS
                    ",\"actuators\":[{\"name\":\"f\",\"write\":\"{ON|OFF}\",\"state\":\"y\"}]"),
         "devices[0].actuators[0].state"},
        {BOARD_WITH(POLLS ",\"actuators\":[{\"name\":\"f\",\"write\":\"{pin}{ON|OFF}\"}]"),
         "devices[0].actuators[0].write"},
        {BOARD_WITH(POLLS ",\"actuators\":[{\"name\":\"f\",\"write\":\"{value}\"},"
                          "{\"name\":\"f\",\"write\":\"{value}\"}]"),
         "devices[0].actuators[1].name"},
        {STREAM("\"format\":\"csv\"", "\"column\":2"), NULL},
        {STREAM("\"format\":\"csv\"", "\"unit\":\"V\""), "devices[0].streams[0].points[0].column"},
        {STREAM("\"format\":\"csv\"", "\"column\":0"), "devices[0].streams[0].points[0].column"},
        {STREAM("\"format\":\"csv\",\"assign\":\"=\"", "\"column\":1"),
         "devices[0].streams[0].assign"},
        {STREAM("\"separator\":\"\"", "\"field\":\"X\""), "devices[0].streams[0].separator"},
        {STREAM("\"interval\":\"10s\",\"silence\":\"1m\",\"sequence\":{\"field\":\"N\"}",
                "\"field\":\"X\""),
         NULL},
        {STREAM("\"sequence\":{\"modulo\":1}", "\"field\":\"X\""),
         "devices[0].streams[0].sequence.modulo"},
        {STREAM("\"format\":\"pattern\",\"pattern\":\"T=(?<x>\\\\d+)\"", "\"unit\":\"V\""), NULL},
        {STREAM("\"format\":\"pattern\",\"pattern\":\"T=(?<y>.)\"", "\"unit\":\"V\""),
         "devices[0].streams[0].points[0].field"},
        {STREAM("\"format\":\"pattern\",\"pattern\":\"T=(\"", "\"unit\":\"V\""),
         "devices[0].streams[0].pattern"},
        {BOARD_WITH(POLLS ",\"checksum\":{\"kind\":\"crc16-modbus\",\"requests\":true}"), NULL},
        {BOARD_WITH(POLLS ",\"checksum\":{\"kind\":\"crc16\"}"), "devices[0].checksum.kind"},
        {BOARD_WITH(POLLS ",\"frame\":\"7E2\",\"dtr\":false"), NULL},
        {BOARD_WITH(POLLS ",\"frame\":\"9N1\""), "devices[0].frame"},
        {BOARD_WITH(POLLS ",\"reset_on_hang\":true,\"boot_wait\":\"100ms\""),
         "devices[0].reset_on_hang"},
        {BOARD_WITH(POLLS ",\"watchdog\":{\"line\":\"ALIVE\",\"expect\":\"OK\","
                          "\"period\":\"5s\",\"broker_lost\":\"1m\"}"),
         NULL},
        {BOARD_WITH(POLLS ",\"watchdog\":{\"period\":\"5s\"}"), "devices[0].watchdog.line"},
        {BOARD_WITH(POLLS ",\"watchdog\":{\"line\":\"A\",\"input_stale\":\"1s\","
                          "\"inputs\":[\"y\"]}"),
         "devices[0].watchdog.inputs"},
        {OUTPUT("\"guard\":{\"interlock\":\"x > 1 and age(m.x) < 1s\"}"), NULL},
        {OUTPUT("\"guard\":{\"interlock\":\"x > 1 and age(n.x) < 1s\"}"),
         "devices[0].actuators[0].guard.interlock"},
        {BOARD_WITH(POLLS ",\"watchdog\":{\"line\":\"A\\nB\"}"), "devices[0].watchdog.line"},
        {BOARD_WITH(POLLS ",\"watchdog\":{\"line\":\"A\",\"expect\":\"\"}"),
         "devices[0].watchdog.expect"},
        {OUTPUT("\"confirm\":\"echo\""), NULL},
        {OUTPUT("\"confirm\":\"reading\",\"state\":\"x\""), NULL},
        {OUTPUT("\"confirm\":\"reading\""), "devices[0].actuators[0].confirm"},
        {OUTPUT("\"confirm\":\"pattern\",\"expect\":\"^done\""), NULL},
        {OUTPUT("\"confirm\":\"pattern\",\"expect\":\"(\""), "devices[0].actuators[0].expect"},
        {OUTPUT("\"confirm\":\"pattern\""), "devices[0].actuators[0].expect"},
        {OUTPUT("\"values\":{\"maybe\":\"1\"}"), "devices[0].actuators[0].values.maybe"},
        {"{\"devices\":[{\"location\":\"a\",\"device\":\"b\",\"port\":\"usb:2341:43\"," POLLS "}]}",
         "devices[0].port"},
        {"{\"devices\":[{\"location\":\"a\",\"device\":\"b\",\"port\":\"tcp://h:1\","
         "\"reset_on_open\":true," POLLS "}]}",
         "devices[0].reset_on_open"},
        {"{\"devices\":[{\"location\":\"a\",\"device\":\"b\",\"port\":\"COM3\"," POLLS "}]}",
         "devices[0].port"},
        {"{\"devices\":[{\"location\":\"a\",\"device\":\"b\",\"port\":\"tcp://host\"," POLLS "}]}",
         "devices[0].port"},
        {"{\"devices\":[{\"location\":\"a\",\"device\":\"b\",\"port\":\"/dev/x\"," POLLS "},"
         "{\"location\":\"a\",\"device\":\"c\",\"port\":\"/dev/x\"," POLLS "}]}",
         "devices[1].port"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char report[REPORT_SIZE];
        struct config *config;

        assert_int_equal(config_open_text(&config, "test", cases[i].text), 0);
        report_on(config, report);
        if (cases[i].named ? !strstr(report, cases[i].named) : report[0] != '\0')
            fail_msg("%s\nshould name %s and says: %s", cases[i].text, cases[i].named, report);
        config_close(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_is_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
