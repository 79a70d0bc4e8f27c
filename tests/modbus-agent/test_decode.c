/* decode.c: all types in all orders, each compared with its bytes written by hand. */
#include "decode.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct number_case {
    enum data_type type;
    const char *order;
    uint16_t cells[4];
    double number;
};

/* 0x0102 = 258; 0x01020304 = 16909060; 0x0102030405060708 = 72623859790382856 = 2^56 + …: exact as
 * a double, since its last bits are zero. 23.5f = 0x41BC0000; −2.5 = 0xC004000000000000. */
static const struct number_case numbers[] = {
    {DATA_UINT16, "AB", {0x0102}, 258},
    {DATA_UINT16, "ABCD", {0x0102}, 258},
    {DATA_UINT16, "BA", {0x0201}, 258},
    {DATA_UINT16, "BADC", {0x0201}, 258},
    {DATA_UINT16, "AB", {0xffff}, 65535},
    {DATA_INT16, "AB", {0xffff}, -1},
    {DATA_INT16, "AB", {0x8000}, -32768},
    {DATA_INT16, "BA", {0xfeff}, -2},
    {DATA_UINT32, "ABCD", {0x0102, 0x0304}, 16909060},
    {DATA_UINT32, "CDAB", {0x0304, 0x0102}, 16909060},
    {DATA_UINT32, "BADC", {0x0201, 0x0403}, 16909060},
    {DATA_UINT32, "DCBA", {0x0403, 0x0201}, 16909060},
    {DATA_UINT32, "ABCD", {0xffff, 0xffff}, 4294967295.0},
    {DATA_INT32, "ABCD", {0xffff, 0xfffe}, -2},
    {DATA_INT32, "CDAB", {0x0000, 0x8000}, -2147483648.0},
    {DATA_INT32, "BADC", {0xffff, 0xfeff}, -2},
    {DATA_INT32, "DCBA", {0xfeff, 0xffff}, -2},
    {DATA_UINT64, "ABCDEFGH", {0x0102, 0x0304, 0x0506, 0x0700}, 72623859790382848.0},
    {DATA_UINT64, "ABCD", {0x0102, 0x0304, 0x0506, 0x0700}, 72623859790382848.0},
    {DATA_UINT64, "GHEFCDAB", {0x0700, 0x0506, 0x0304, 0x0102}, 72623859790382848.0},
    {DATA_UINT64, "BADCFEHG", {0x0201, 0x0403, 0x0605, 0x0007}, 72623859790382848.0},
    {DATA_UINT64, "HGFEDCBA", {0x0007, 0x0605, 0x0403, 0x0201}, 72623859790382848.0},
    {DATA_INT64, "ABCDEFGH", {0xffff, 0xffff, 0xffff, 0xfffd}, -3},
    {DATA_INT64, "HGFEDCBA", {0xfdff, 0xffff, 0xffff, 0xffff}, -3},
    {DATA_FLOAT32, "ABCD", {0x41bc, 0x0000}, 23.5},
    {DATA_FLOAT32, "CDAB", {0x0000, 0x41bc}, 23.5},
    {DATA_FLOAT32, "BADC", {0xbc41, 0x0000}, 23.5},
    {DATA_FLOAT32, "DCBA", {0x0000, 0xbc41}, 23.5},
    {DATA_FLOAT64, "ABCDEFGH", {0xc004, 0, 0, 0}, -2.5},
    {DATA_FLOAT64, "GHEFCDAB", {0, 0, 0, 0xc004}, -2.5},
    {DATA_FLOAT64, "BADCFEHG", {0x04c0, 0, 0, 0}, -2.5},
    {DATA_FLOAT64, "HGFEDCBA", {0, 0, 0, 0x04c0}, -2.5},
    {DATA_BCD16, "AB", {0x1907}, 1907},
    {DATA_BCD16, "BA", {0x0719}, 1907},
    {DATA_BCD16, "AB", {0x9999}, 9999},
    {DATA_BCD32, "ABCD", {0x0012, 0x3456}, 123456},
    {DATA_BCD32, "CDAB", {0x3456, 0x0012}, 123456},
    {DATA_BCD32, "BADC", {0x1200, 0x5634}, 123456},
    {DATA_BCD32, "DCBA", {0x5634, 0x1200}, 123456},
    /* IEEE 754-2008: 1 is 0x3c00; the largest; the smallest normal; the two smallest subnormal */
    {DATA_FLOAT16, "AB", {0x3c00}, 1},
    {DATA_FLOAT16, "BA", {0x003c}, 1},
    {DATA_FLOAT16, "AB", {0xc500}, -5},
    {DATA_FLOAT16, "AB", {0x7bff}, 65504},
    {DATA_FLOAT16, "AB", {0x0400}, 0x1p-14},
    {DATA_FLOAT16, "AB", {0x0001}, 0x1p-24},
    {DATA_FLOAT16, "AB", {0x8002}, -0x1p-23},
};

static struct encoding encoding_of(enum data_type type, const char *order)
{
    struct encoding encoding = {.type = type};

    assert_int_equal(encoding_set_order(&encoding, order), 0);
    return encoding;
}

static void reads_every_type_in_every_order(void **state)
{
    char text[DECODE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct number_case *c = &numbers[i];
        struct encoding encoding = encoding_of(c->type, c->order);
        struct value value = decode(&encoding, c->cells, text);

        if (value.type != VALUE_NUMBER || value.number != c->number)
            fail_msg("%s %s: %.17g instead of %.17g", data_type_names[c->type], c->order,
                     value.number, c->number);
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct number_case *c = &numbers[i];
        struct encoding encoding = encoding_of(c->type, c->order);
        uint16_t cells[4] = {0xdead, 0xdead, 0xdead, 0xdead};

        assert_int_equal(encode(&encoding, c->number, cells), 0);
        if (memcmp(cells, c->cells, encoding_cells(&encoding) * sizeof cells[0]) != 0)
            fail_msg("%s %s: %.17g is written otherwise", data_type_names[c->type], c->order,
                     c->number);
        for (unsigned j = encoding_cells(&encoding); j < 4; j++)
            assert_int_equal(cells[j], 0xdead);
    }
}

static void takes_bits_and_registers_as_bools(void **state)
{
    char text[DECODE_TEXT_SIZE];
    struct encoding encoding = {.type = DATA_BOOL};
    const uint16_t cells[] = {0, 1, 0x8000, 0x0100};

    (void)state;
    assert_false(decode(&encoding, &cells[0], text).boolean);
    assert_true(decode(&encoding, &cells[1], text).boolean);
    assert_true(decode(&encoding, &cells[2], text).boolean);
    encoding.type = DATA_BIT;
    encoding.bit = 8;
    assert_false(decode(&encoding, &cells[2], text).boolean);
    assert_true(decode(&encoding, &cells[3], text).boolean);
    encoding.bit = 15;
    assert_true(decode(&encoding, &cells[2], text).boolean);
    encoding.swap_bytes = true; /* 0x0080 */
    assert_false(decode(&encoding, &cells[2], text).boolean);
    encoding.bit = 7;
    assert_true(decode(&encoding, &cells[2], text).boolean);
}

static void reads_a_part_of_a_register(void **state)
{
    const uint16_t cell = 0x83f6; /* 1000 0011 1111 0110 */
    char text[DECODE_TEXT_SIZE];
    static const struct {
        struct encoding encoding;
        double number;
    } cases[] = {
        {{.type = DATA_UINT8}, 0xf6},
        {{.type = DATA_INT8}, -10},
        {{.type = DATA_UINT8, .high_byte = true}, 0x83},
        {{.type = DATA_INT8, .high_byte = true}, -125},
        {{.type = DATA_BITS, .bit = 0, .width = 16}, 0x83f6},
        {{.type = DATA_BITS, .bit = 1, .width = 2}, 3},
        {{.type = DATA_BITS, .bit = 8, .width = 3}, 3},
        {{.type = DATA_BITS, .bit = 15, .width = 1}, 1},
        {{.type = DATA_BITS, .bit = 0, .width = 3, .swap_bytes = true}, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(decode(&cases[i].encoding, &cell, text).number == cases[i].number);
}

static void halves_are_rounded_to_the_nearest_even(void **state)
{
    static const struct {
        double number;
        uint16_t cell;
    } cases[] = {
        {1 + 0x1p-11, 0x3c00}, {1 + 3 * 0x1p-11, 0x3c02}, {1.9999, 0x4000},      {0x1p-25, 0x0000},
        {0x1.8p-24, 0x0002},   {0x1.ff9p-15, 0x03ff},     {0x1.fffp-15, 0x0400}, {0, 0x0000},
    };
    struct encoding encoding = {.type = DATA_FLOAT16};
    uint16_t cell;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(encode(&encoding, cases[i].number, &cell), 0);
        assert_int_equal(cell, cases[i].cell);
    }
}

static void reads_texts(void **state)
{
    char text[DECODE_TEXT_SIZE];
    struct encoding encoding = {.type = DATA_STRING, .length = 4};
    const uint16_t padded[] = {0x5044, 0x2d37, 0x2020, 0x2020}; /* "PD-7    " */
    const uint16_t ended[] = {0x5044, 0x0041, 0x4141, 0x4141};  /* "PD\0AAAAA" */
    const uint16_t odd[] = {0x41ff, 0x0a42, 0x4343, 0x4444};
    const uint16_t full[] = {0x4142, 0x4344, 0x4546, 0x4748};

    (void)state;
    assert_string_equal(decode(&encoding, padded, text).text, "PD-7");
    assert_string_equal(decode(&encoding, ended, text).text, "PD");
    assert_string_equal(decode(&encoding, odd, text).text, "A??BCCDD");
    assert_string_equal(decode(&encoding, full, text).text, "ABCDEFGH");
    assert_int_equal(encoding_set_order(&encoding, "BA"), 0);
    assert_string_equal(decode(&encoding, full, text).text, "BADCFEHG");
}

static void keeps_what_is_no_number_for_the_reading_to_name(void **state)
{
    char text[DECODE_TEXT_SIZE];
    struct encoding encoding = {.type = DATA_FLOAT32};
    const uint16_t nan_cells[] = {0x7fc0, 0};
    const uint16_t infinity_cells[] = {0x7f80, 0};
    const uint16_t half_cells[] = {0x7c00, 0x7c01};
    const uint16_t no_digit = 0x12a4;

    (void)state;
    assert_true(isnan(decode(&encoding, nan_cells, text).number));
    assert_true(isinf(decode(&encoding, infinity_cells, text).number));
    encoding.type = DATA_FLOAT16;
    assert_true(isinf(decode(&encoding, &half_cells[0], text).number));
    assert_true(isnan(decode(&encoding, &half_cells[1], text).number));
    encoding.type = DATA_BCD16;
    assert_true(isnan(decode(&encoding, &no_digit, text).number));
}

static void refuses_impossible_orders(void **state)
{
    static const struct {
        enum data_type type;
        const char *order;
    } impossible[] = {
        {DATA_UINT16, "CDAB"},  {DATA_INT16, "DCBA"},      {DATA_UINT16, "ABCDEFGH"},
        {DATA_UINT32, "AB"},    {DATA_UINT32, "HGFEDCBA"}, {DATA_FLOAT64, "BA"},
        {DATA_FLOAT32, "ABDC"}, {DATA_FLOAT32, "abcd"},    {DATA_FLOAT32, ""},
        {DATA_STRING, "CDAB"},  {DATA_BOOL, "BA"},         {DATA_INT8, "BA"},
        {DATA_BCD16, "CDAB"},   {DATA_BCD32, "AB"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        struct encoding encoding = {.type = impossible[i].type, .length = 2};

        if (encoding_set_order(&encoding, impossible[i].order) != -EINVAL)
            fail_msg("%s takes \"%s\"", data_type_names[impossible[i].type], impossible[i].order);
    }
}

static void refuses_what_a_type_cannot_hold(void **state)
{
    static const struct {
        enum data_type type;
        double number;
        int rc;
    } cases[] = {
        {DATA_UINT16, -1, -ERANGE},
        {DATA_UINT16, -0.4, 0},
        {DATA_UINT16, 65535.4, 0},
        {DATA_UINT16, 65535.5, -ERANGE},
        {DATA_INT16, -32768, 0},
        {DATA_INT16, -32769, -ERANGE},
        {DATA_INT16, 32768, -ERANGE},
        {DATA_UINT32, 4294967296.0, -ERANGE},
        {DATA_INT32, 2147483648.0, -ERANGE},
        {DATA_INT64, 9223372036854775808.0, -ERANGE},
        {DATA_INT64, -9223372036854775808.0, 0},
        {DATA_UINT64, 18446744073709551616.0, -ERANGE},
        {DATA_FLOAT32, 1e39, -ERANGE},
        {DATA_FLOAT32, -FLT_MAX, 0},
        {DATA_UINT16, NAN, -ERANGE},
        {DATA_FLOAT64, INFINITY, -ERANGE},
        {DATA_BOOL, 1, 0},
        {DATA_BOOL, 2, -ERANGE},
        {DATA_BCD16, 9999.4, 0},
        {DATA_BCD16, 10000, -ERANGE},
        {DATA_BCD16, -1, -ERANGE},
        {DATA_FLOAT16, 65505, -ERANGE},
        {DATA_BIT, 1, -EINVAL},
        {DATA_BITS, 1, -EINVAL},
        {DATA_UINT8, 1, -EINVAL},
        {DATA_INT8, 1, -EINVAL},
        {DATA_STRING, 1, -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct encoding encoding = {.type = cases[i].type, .length = 1};
        uint16_t cells[4];

        if (encode(&encoding, cases[i].number, cells) != cases[i].rc)
            fail_msg("%s %.17g", data_type_names[cases[i].type], cases[i].number);
    }
}

static void rounds_to_the_nearest_whole(void **state)
{
    struct encoding encoding = {.type = DATA_INT16};
    uint16_t cells[4];

    (void)state;
    assert_int_equal(encode(&encoding, 2.5, cells), 0);
    assert_int_equal(cells[0], 3);
    assert_int_equal(encode(&encoding, -2.5, cells), 0);
    assert_int_equal(cells[0], 0xfffd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type_in_every_order),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(takes_bits_and_registers_as_bools),
        cmocka_unit_test(reads_a_part_of_a_register),
        cmocka_unit_test(halves_are_rounded_to_the_nearest_even),
        cmocka_unit_test(reads_texts),
        cmocka_unit_test(keeps_what_is_no_number_for_the_reading_to_name),
        cmocka_unit_test(refuses_impossible_orders),
        cmocka_unit_test(refuses_what_a_type_cannot_hold),
        cmocka_unit_test(rounds_to_the_nearest_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
