/* Buffers: growth at every size, formatting across the end, and a failed allocation that is
 * remembered. */
#include "buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_empty(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_string_equal(buffer_string(&buffer), "");
    buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.size, 0);
    assert_string_equal(buffer_string(&buffer), "");
    buffer_free(&buffer);
    buffer_free(&buffer);
    assert_null(buffer.data);
}

static void test_appends(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_text(&buffer, "a=");
    buffer_number(&buffer, 23.45);
    buffer_char(&buffer, ',');
    buffer_format(&buffer, "%s:%d", "b", -7);
    buffer_append(&buffer, "\0x", 2);
    assert_int_equal(buffer.size, 14);
    assert_memory_equal(buffer.data, "a=23.45,b:-7\0x", 15);
    buffer_free(&buffer);
}

/* One byte at a time through several growths: always what was put in, always ended by a NUL. */
static void test_grows(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t i = 0; i < 5000; i++) {
        buffer_char(&buffer, (char)('a' + i % 26));
        assert_int_equal(buffer.size, i + 1);
        assert_int_equal(buffer.data[i + 1], '\0');
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(buffer.data[i], 'a' + i % 26);
    buffer_free(&buffer);
}

/* Formatted text of every length from every fill level around the first allocation. */
static void test_format_at_the_end(void **state)
{
    (void)state;
    char expected[1024];
    memset(expected, 'x', sizeof expected);
    for (int fill = 240; fill < 270; fill++) {
        for (int length = 0; length < 600; length += 7) {
            struct buffer buffer = {0};
            buffer_append(&buffer, expected, (size_t)fill);
            buffer_format(&buffer, "%.*s", length, expected);
            assert_int_equal(buffer.size, fill + length);
            assert_int_equal(strlen(buffer.data), fill + length);
            buffer_free(&buffer);
        }
    }
}

static void test_clear_keeps_memory(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_text(&buffer, "something");
    const char *data = buffer.data;
    buffer_clear(&buffer);
    assert_string_equal(buffer_string(&buffer), "");
    buffer_text(&buffer, "else");
    assert_ptr_equal(buffer.data, data);
    assert_string_equal(buffer_string(&buffer), "else");
    buffer_free(&buffer);
}

/* No machine has SIZE_MAX bytes, so the size is refused before anything is read. */
static void test_failure_is_remembered(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_text(&buffer, "kept");
    buffer_append(&buffer, "x", SIZE_MAX - 10);
    assert_true(buffer.failed);
    buffer_text(&buffer, "not");
    buffer_char(&buffer, 'n');
    buffer_format(&buffer, "%d", 1);
    assert_string_equal(buffer_string(&buffer), "kept");
    assert_int_equal(buffer.size, 4);
    buffer_clear(&buffer);
    buffer_text(&buffer, "again");
    assert_string_equal(buffer_string(&buffer), "again");
    assert_false(buffer.failed);
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_format_at_the_end),
        cmocka_unit_test(test_clear_keeps_memory),
        cmocka_unit_test(test_failure_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
