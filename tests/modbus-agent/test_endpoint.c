/* endpoint.c and cost.c: what a bus URL means, and what its line costs. */
#include "cost.h"
#include "endpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void takes_tcp(void **state)
{
    static const struct {
        const char *url, *host, *port;
    } cases[] = {
        {"tcp://line-sim:5020", "line-sim", "5020"},
        {"tcp://10.0.0.7", "10.0.0.7", "502"},
        {"tcp://[fe80::1]:1502", "fe80::1", "1502"},
        {"tcp://[::1]", "::1", "502"},
        {"tcp://a:00502", "a", "502"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct endpoint endpoint;
        char error[128];

        assert_int_equal(endpoint_parse(&endpoint, cases[i].url, error, sizeof error), 0);
        assert_false(endpoint.serial);
        assert_string_equal(endpoint.name, cases[i].host);
        assert_string_equal(endpoint.port, cases[i].port);
    }
}

static void takes_serial_lines(void **state)
{
    struct endpoint endpoint;
    char error[128];

    (void)state;
    assert_int_equal(endpoint_parse(&endpoint, "rtu:///dev/ttyUSB0", error, sizeof error), 0);
    assert_true(endpoint.serial);
    assert_string_equal(endpoint.name, "/dev/ttyUSB0");
    assert_int_equal(endpoint.baud, 19200);
    assert_int_equal(endpoint.parity, 'E');
    assert_int_equal(endpoint.stop_bits, 1);
    assert_int_equal(endpoint_bits_per_byte(&endpoint), 11);
    assert_int_equal(
        endpoint_parse(&endpoint, "rtu:///dev/x?stop=2&parity=none&baud=9600", error, sizeof error),
        0);
    assert_string_equal(endpoint.name, "/dev/x");
    assert_int_equal(endpoint.baud, 9600);
    assert_int_equal(endpoint.parity, 'N');
    assert_int_equal(endpoint.stop_bits, 2);
    assert_int_equal(endpoint_bits_per_byte(&endpoint), 11);
}

static void takes_tls(void **state)
{
    struct endpoint endpoint;
    char error[128];

    (void)state;
    assert_int_equal(endpoint_parse(&endpoint, "tls://plc.example", error, sizeof error), 0);
    assert_true(endpoint.tls && !endpoint.serial);
    assert_string_equal(endpoint.name, "plc.example");
    assert_string_equal(endpoint.port, "802");
    assert_int_equal(endpoint_parse(&endpoint, "tls://[::1]:8802", error, sizeof error), 0);
    assert_string_equal(endpoint.port, "8802");
    assert_int_equal(endpoint_parse(&endpoint, "tcp://plc", error, sizeof error), 0);
    assert_false(endpoint.tls);
}

static void takes_gateways(void **state)
{
    struct endpoint endpoint;
    char error[128];

    (void)state;
    assert_int_equal(
        endpoint_parse(&endpoint, "rtu+tcp://[::1]:4001?baud=9600", error, sizeof error), 0);
    assert_true(endpoint.serial && endpoint.gateway);
    assert_string_equal(endpoint.name, "::1");
    assert_string_equal(endpoint.port, "4001");
    assert_int_equal(endpoint.baud, 9600);
    assert_int_equal(endpoint.parity, 'E');
}

static void takes_how_the_line_is_switched(void **state)
{
    struct endpoint endpoint;
    char error[128];

    (void)state;
    assert_int_equal(endpoint_parse(&endpoint, "rtu:///dev/x?rs485=on", error, sizeof error), 0);
    assert_true(endpoint.rs485);
    assert_int_equal(
        endpoint_parse(&endpoint, "rtu:///dev/x?rts=down&rts_delay=200", error, sizeof error), 0);
    assert_int_equal(endpoint.rts, ENDPOINT_RTS_DOWN);
    assert_int_equal(endpoint.rts_delay_us, 200);
}

static void refuses_the_rest_with_a_reason(void **state)
{
    static const char *const bad[] = {
        "",
        "line-sim:5020",
        "http://x",
        "tcp://",
        "tcp://:502",
        "tcp://host:",
        "tcp://host:0",
        "tcp://host:65536",
        "tcp://host:502x",
        "tcp://host:-1",
        "tcp://[::1",
        "tcp://[::1]502",
        "rtu://",
        "rtu://ttyUSB0",
        "rtu:///dev/x?",
        "rtu:///dev/x?baud=fast",
        "rtu:///dev/x?parity=mark",
        "rtu:///dev/x?stop=3",
        "rtu:///dev/x?baud=9600&&stop=1",
        "rtu:///dev/x?speed=9600",
        "rtu:///dev/x?rts=on",
        "rtu:///dev/x?rts=up&rs485=on",
        "rtu+tcp://",
        "rtu+tcp://host:99999",
        "rtu+tcp://host:4001?",
        "rtu+tcp://host:4001?rts=up",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct endpoint endpoint;
        char error[128] = "";

        if (endpoint_parse(&endpoint, bad[i], error, sizeof error) != -EINVAL || !error[0])
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void costs_what_the_line_takes(void **state)
{
    struct endpoint line = {.serial = true, .baud = 9600, .parity = 'N', .stop_bits = 1};
    struct span registers = {TABLE_HOLDING, 0, 10};
    struct span bits = {TABLE_COIL, 0, 9};
    double byte_us = 10 / 9600.0 * 1e6;

    (void)state;
    /* 8 bytes there, 5 and the data back, 2 silences of 3.5 */
    assert_float_equal(cost_read_us(&line, &registers), (8 + 5 + 20 + 7) * byte_us + COST_UNIT_US,
                       1);
    assert_float_equal(cost_read_us(&line, &bits), (8 + 5 + 2 + 7) * byte_us + COST_UNIT_US, 1);
    line.baud = 115200;
    byte_us = 10 / 115200.0 * 1e6;
    assert_float_equal(cost_read_us(&line, &registers), 33 * byte_us + 3500 + COST_UNIT_US, 1);
    line.serial = false;
    assert_float_equal(cost_read_us(&line, &registers), COST_TCP_US + 10 * COST_TCP_REGISTER_US,
                       0.001);
    assert_int_equal(cost_worthwhile_gap(&line, TABLE_HOLDING), 100);
    line = (struct endpoint){.serial = true, .baud = 9600, .parity = 'E', .stop_bits = 1};
    /* 13 bytes, 7 of silence and 5 ms are worth 24.4 bytes */
    assert_int_equal(cost_worthwhile_gap(&line, TABLE_HOLDING), 12);
    assert_int_equal(cost_worthwhile_gap(&line, TABLE_COIL), 194);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_tcp),
        cmocka_unit_test(takes_serial_lines),
        cmocka_unit_test(takes_tls),
        cmocka_unit_test(takes_gateways),
        cmocka_unit_test(takes_how_the_line_is_switched),
        cmocka_unit_test(refuses_the_rest_with_a_reason),
        cmocka_unit_test(costs_what_the_line_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
