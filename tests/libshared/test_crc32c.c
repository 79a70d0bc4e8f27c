#include "crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_both(const void *data, size_t size, uint32_t expected)
{
    assert_int_equal(crc32c(0, data, size), expected);
    assert_int_equal(crc32c_portable(0, data, size), expected);
}

/* RFC 3720, appendix B.4; there the bytes of the CRC are listed in transmission order. */
static void test_rfc3720_vectors(void **state)
{
    static const unsigned char scsi_read[48] = {
        0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
        0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
        0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
    unsigned char bytes[32];

    (void)state;
    memset(bytes, 0, sizeof(bytes));
    check_both(bytes, sizeof(bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    check_both(bytes, sizeof(bytes), 0x62a8ab43);
    for (unsigned char i = 0; i < 32; i++)
        bytes[i] = i;
    check_both(bytes, sizeof(bytes), 0x46dd794e);
    for (unsigned char i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    check_both(bytes, sizeof(bytes), 0x113fdb5c);
    check_both(scsi_read, sizeof(scsi_read), 0xd9963a56);
    check_both("123456789", 9, 0xe3069283);
    check_both("", 0, 0);
}

static void test_parts_and_alignment(void **state)
{
    unsigned char bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t offset = 0; offset < 8; offset++)
        for (size_t size = 0; size < 200; size++) {
            uint32_t whole = crc32c_portable(0, bytes + offset, size);

            assert_int_equal(crc32c(0, bytes + offset, size), whole);
            for (size_t cut = 0; cut <= size; cut += 13)
                assert_int_equal(
                    crc32c(crc32c(0, bytes + offset, cut), bytes + offset + cut, size - cut),
                    whole);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3720_vectors),
        cmocka_unit_test(test_parts_and_alignment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
