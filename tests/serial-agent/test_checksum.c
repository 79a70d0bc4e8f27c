/* Checksums against the check values of the catalogue: the sum of "123456789". */
#include "checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_catalogues_check_values(void **state)
{
    static const struct {
        enum checksum_kind kind;
        unsigned sum;
    } cases[] = {{CHECKSUM_NMEA, 0x31},           {CHECKSUM_CRC16_ARC, 0xBB3D},
                 {CHECKSUM_CRC16_KERMIT, 0x2189}, {CHECKSUM_CRC16_MODBUS, 0x4B37},
                 {CHECKSUM_CRC16_XMODEM, 0x31C3}, {CHECKSUM_CRC16_IBM_3740, 0x29B1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(checksum_of(cases[i].kind, "123456789", 9), cases[i].sum);
}

/* A sentence from NMEA 0183's own world. */
static void nmea_leaves_the_dollar_out(void **state)
{
    const char *line = "$GPGLL,5300.97914,N,00259.98174,E,125926,A*28";

    (void)state;
    assert_int_equal(checksum_check(CHECKSUM_NMEA, line, strlen(line)), strlen(line) - 3);
}

static void what_is_written_is_right(void **state)
{
    (void)state;
    for (int kind = CHECKSUM_NONE; kind <= CHECKSUM_CRC16_IBM_3740; kind++) {
        char line[64] = "TEMP:23.5,HUM:61.0";
        size_t length = strlen(line);

        assert_non_null(checksum_names[kind]);
        checksum_write((enum checksum_kind)kind, line, length, line + length);
        assert_int_equal(checksum_check((enum checksum_kind)kind, line, strlen(line)), length);
        if (kind == CHECKSUM_NONE)
            continue;
        for (size_t i = 0; line[i]; i++) { /* one bit anywhere */
            line[i] ^= 1;
            assert_true(checksum_check((enum checksum_kind)kind, line, strlen(line)) < 0);
            line[i] ^= 1;
        }
        for (size_t cut = 0; line[cut]; cut++)
            assert_true(checksum_check((enum checksum_kind)kind, line, cut) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogues_check_values),
        cmocka_unit_test(nmea_leaves_the_dollar_out),
        cmocka_unit_test(what_is_written_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
