/* Lines out of bytes: whole, cut at every byte, byte by byte. */
#include "framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAX 16

struct sample {
    const char *bytes;
    size_t size;
    const char *lines; /* each followed by '|' */
    uint64_t long_lines;
    uint64_t bad_lines;
    uint64_t bad_bytes;
    enum checksum_kind checksum;
    uint64_t bad_sums;
    const char *ends; /* NULL: CR and LF */
};

#define BYTES(text) .bytes = text, sizeof text - 1

static const struct sample samples[] = {
    {BYTES("one\n"), "one|", 0, 0, 0},
    {BYTES("one\r\ntwo\rthree\n\nfour\n\rfive"), "one|two|three|four|", 0, 0, 0},
    {BYTES("\n\r\n"), "", 0, 0, 0},
    {BYTES("exactly 16 chars\nx\n"), "exactly 16 chars|x|", 0, 0, 0},
    {BYTES("exactly 17 chars.\nx\n"), "x|", 1, 0, 0},
    {BYTES("this is longer than 16 characters\nx\n"), "x|", 1, 0, 0},
    {BYTES("this is longer than 16 characters and then more\nand again more than that\ny\n"), "y|",
     2, 0, 0},
    {BYTES("\x80\xff\x01"
           "abc\nok\n"),
     "ok|", 0, 1, 3},
    {BYTES("a\0b\nok\n"), "ok|", 0, 1, 1},
    {BYTES("21 \xc2\xb0"
           "C\t!\n"),
     "21 \xc2\xb0"
     "C\t!|",
     0, 0, 0},
    {BYTES("half \xc2\nok\n"), "ok|", 0, 1, 1},
    {BYTES("\x7f\n"), "", 0, 1, 1},
    {BYTES("$A,1*5C\n$A,1*5c\n$A,2*5C\n$A,1\n*00\n"), "$A,1|$A,1|", 0, 0, 0, CHECKSUM_NMEA, 2},
    {BYTES("123456789*4B37\n123456789*374B\n"), "123456789|", 0, 0, 0, CHECKSUM_CRC16_MODBUS, 1},
    {BYTES("a=1;;b=2;c"), "a=1|b=2|", .ends = ";"},
    {BYTES("\x03T\nU\x03V\x03"), "V|", .bad_lines = 1, .bad_bytes = 1, .ends = "\x03"},
};

static void feed(struct framing *framing, const char *bytes, size_t size, char *heard)
{
    const char *line;

    while ((line = framing_next(framing, &bytes, &size)) != NULL) {
        strcat(heard, line);
        strcat(heard, "|");
    }
    assert_int_equal(size, 0);
}

static void assert_heard(const struct sample *sample, const struct framing *framing,
                         const char *heard)
{
    assert_string_equal(heard, sample->lines);
    assert_int_equal(framing->long_lines, sample->long_lines);
    assert_int_equal(framing->bad_lines, sample->bad_lines);
    assert_int_equal(framing->bad_bytes, sample->bad_bytes);
    assert_int_equal(framing->bad_sums, sample->bad_sums);
}

static void whole_and_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        for (size_t cut = 0; cut <= samples[i].size; cut++) {
            struct framing framing;
            char heard[128] = "";

            framing_init(&framing, samples[i].ends ? samples[i].ends : "\r\n", MAX,
                         samples[i].checksum);
            feed(&framing, samples[i].bytes, cut, heard);
            feed(&framing, samples[i].bytes + cut, samples[i].size - cut, heard);
            assert_heard(&samples[i], &framing, heard);
        }
}

static void byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct framing framing;
        char heard[128] = "";

        framing_init(&framing, samples[i].ends ? samples[i].ends : "\r\n", MAX,
                     samples[i].checksum);
        for (size_t at = 0; at < samples[i].size; at++)
            feed(&framing, samples[i].bytes + at, 1, heard);
        assert_heard(&samples[i], &framing, heard);
    }
}

static void the_longest_line_fits(void **state)
{
    static char bytes[FRAMING_LINE_MAX + 2];
    struct framing framing;
    const char *at = bytes;
    size_t size = sizeof bytes;
    const char *line;

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    bytes[FRAMING_LINE_MAX] = '\n';
    framing_init(&framing, "\r\n", FRAMING_LINE_MAX, CHECKSUM_NONE);
    line = framing_next(&framing, &at, &size);
    assert_non_null(line);
    assert_int_equal(strlen(line), FRAMING_LINE_MAX);
}

static void a_reset_forgets_what_was_begun(void **state)
{
    struct framing framing;
    char heard[128] = "";

    (void)state;
    framing_init(&framing, "\r\n", MAX, CHECKSUM_NONE);
    feed(&framing, "TEMP:2", 6, heard);
    framing_reset(&framing);
    feed(&framing, "OK\n", 3, heard);
    feed(&framing, "more than sixteen characters", 28, heard);
    framing_reset(&framing);
    feed(&framing, "OK\n", 3, heard);
    assert_string_equal(heard, "OK|OK|");
    assert_int_equal(framing.lines, 2);
    assert_int_equal(framing.long_lines, 1);
}

/* "TEMP:2" and then, too late, "3.5": neither half is a reading, nor are both with what follows. */
static void what_is_abandoned_is_dropped_to_its_end(void **state)
{
    struct framing framing;
    char heard[128] = "";

    (void)state;
    framing_init(&framing, "\r\n", MAX, CHECKSUM_NONE);
    framing_abandon(&framing); /* nothing has begun */
    feed(&framing, "TEMP:2", 6, heard);
    framing_abandon(&framing);
    framing_abandon(&framing);
    feed(&framing, "3.5\nOK\n", 7, heard);
    assert_string_equal(heard, "OK|");
    assert_int_equal(framing.cut_lines, 1);
    feed(&framing, "TE", 2, heard);
    framing_reset(&framing);
    assert_int_equal(framing.cut_lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_cut_at_every_byte),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(the_longest_line_fits),
        cmocka_unit_test(a_reset_forgets_what_was_begun),
        cmocka_unit_test(what_is_abandoned_is_dropped_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
