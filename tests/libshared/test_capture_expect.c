/* Texts of many lines, handed over in pieces of many sizes, against files that are the same and
 * such that differ. */
#include "capture_expect.h"

#include "line_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES 40

static void write_lines(struct buffer *out, int changed, int n)
{
    for (int i = 0; i < n; i++)
        buffer_format(out, i == changed ? "line %d is another\n" : "line %d\n", i);
}

/* What line_diff() says of the whole texts is what is said of pieces. */
static void check(const struct buffer *expected, const struct buffer *actual, size_t piece)
{
    char whole[4096] = "", said[4096] = "";
    FILE *out = fmemopen(whole, sizeof whole, "w");
    bool differs = line_diff(buffer_string(expected), buffer_string(actual), out);
    struct capture_expect expect = {.file = fmemopen(expected->data, expected->size, "r")};
    size_t most = 0;

    fclose(out);
    out = fmemopen(said, sizeof said, "w");
    for (size_t at = 0; at < actual->size; at += piece) {
        size_t size = actual->size - at < piece ? actual->size - at : piece;

        assert_int_equal(capture_expect_add(&expect, actual->data + at, size), 0);
        most = expect.actual.size > most ? expect.actual.size : most;
    }
    assert_int_equal(capture_expect_end(&expect, out), differs);
    fclose(out);
    assert_string_equal(said, whole);
    assert_true(differs || most <= piece + 64);
    fclose(expect.file);
    capture_expect_free(&expect);
}

static void test_pieces(void **state)
{
    struct buffer expected = {0};

    (void)state;
    write_lines(&expected, -1, LINES);
    for (size_t piece = 1; piece < expected.size + 2; piece += 1 + piece / 5)
        for (int changed = -1; changed <= LINES; changed++) {
            struct buffer actual = {0};

            write_lines(&actual, changed, changed == LINES ? LINES + 1 : LINES);
            check(&expected, &actual, piece);
            buffer_clear(&actual);
            write_lines(&actual, -1, changed < 1 ? 1 : changed);
            check(&expected, &actual, piece);
            buffer_free(&actual);
        }
    buffer_free(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
