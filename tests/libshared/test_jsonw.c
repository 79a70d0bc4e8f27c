/* jsonw.c: form, escapes, numbers; and that the strict reader takes whatever it writes. */
#include "jsonr.h"
#include "jsonw.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_commas_and_nesting(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct jsonw w = jsonw_start(&out);

    jsonw_object_begin(&w, NULL);
    jsonw_object_begin(&w, "empty");
    jsonw_object_end(&w);
    jsonw_array_begin(&w, "none");
    jsonw_array_end(&w);
    jsonw_array_begin(&w, "list");
    jsonw_integer(&w, NULL, 1);
    jsonw_array_begin(&w, NULL);
    jsonw_bool(&w, NULL, true);
    jsonw_bool(&w, NULL, false);
    jsonw_array_end(&w);
    jsonw_object_begin(&w, NULL);
    jsonw_null(&w, "a");
    jsonw_text(&w, "b", "x");
    jsonw_object_end(&w);
    jsonw_array_end(&w);
    jsonw_text(&w, "last", NULL);
    jsonw_object_end(&w);
    assert_string_equal(buffer_string(&out), "{\"empty\":{},\"none\":[],\"list\":[1,[true,false],"
                                             "{\"a\":null,\"b\":\"x\"}],\"last\":null}");
    buffer_free(&out);
}

static void test_numbers(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct jsonw w = jsonw_start(&out);

    jsonw_array_begin(&w, NULL);
    jsonw_integer(&w, NULL, INT64_MIN);
    jsonw_unsigned(&w, NULL, UINT64_MAX);
    jsonw_number(&w, NULL, 0.1);
    jsonw_number(&w, NULL, -3);
    jsonw_number(&w, NULL, NAN);
    jsonw_number(&w, NULL, -INFINITY);
    jsonw_array_end(&w);
    assert_string_equal(buffer_string(&out),
                        "[-9223372036854775808,18446744073709551615,0.1,-3,null,null]");
    buffer_free(&out);
}

static void test_values(void **state)
{
    (void)state;
    struct value values[] = {
        value_bool(true), value_number(21.5), value_text("on"), {.type = VALUE_NONE}};
    struct buffer out = {0};
    struct jsonw w = jsonw_start(&out);

    jsonw_array_begin(&w, NULL);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        jsonw_value(&w, NULL, &values[i]);
    jsonw_array_end(&w);
    assert_string_equal(buffer_string(&out), "[true,21.5,\"on\",null]");
    buffer_free(&out);
}

static void check_bytes(const char *bytes, size_t size, const char *expected)
{
    struct buffer out = {0};
    struct jsonw w = jsonw_start(&out);

    jsonw_bytes(&w, NULL, bytes, size);
    assert_string_equal(buffer_string(&out), expected);
    buffer_free(&out);
}

#define R "\xEF\xBF\xBD"

static void test_escapes(void **state)
{
    (void)state;
    check_bytes("", 0, "\"\"");
    check_bytes("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    check_bytes("\n\r\t\x01\x1f\x7f", 6, "\"\\n\\r\\t\\u0001\\u001f\\u007f\"");
    check_bytes("22 °C €😀", 14, "\"22 °C €😀\"");
}

static void test_what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    check_bytes("a\0b", 3, "\"a" R "b\"");
    check_bytes("a\x80z", 3, "\"a" R "z\"");
    check_bytes("\xc0\xaf", 2, "\"" R R "\"");             /* overlong */
    check_bytes("\xe0\x80\x80", 3, "\"" R R R "\"");       /* overlong */
    check_bytes("\xed\xa0\x80", 3, "\"" R R R "\"");       /* surrogate */
    check_bytes("\xf4\x90\x80\x80", 4, "\"" R R R R "\""); /* beyond U+10FFFF */
    check_bytes("\xe2\x82", 2, "\"" R R "\"");             /* cut short */
    check_bytes("\xff", 1, "\"" R "\"");
}

/* Every pair of bytes, as key and as text, comes out as a document that the strict reader takes. */
static void test_reader_takes_any_bytes(void **state)
{
    (void)state;
    struct buffer out = {0};
    char error[128];

    for (int first = 1; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            char text[3] = {(char)first, (char)second, '\0'};
            struct json_object *tree;
            struct jsonw w = jsonw_start(&out);

            buffer_clear(&out);
            jsonw_object_begin(&w, NULL);
            jsonw_bytes(&w, text, text, 2);
            jsonw_object_end(&w);
            assert_int_equal(jsonr_parse(&tree, out.data, out.size, error, sizeof error), 0);
            jsonr_free(tree);
        }
    }
    buffer_free(&out);
}

static void test_texts_come_back(void **state)
{
    (void)state;
    static const char text[] = "quote \" backslash \\ newline \n tab \t bell \a del \x7f °C 😀";
    struct buffer out = {0};
    struct jsonw w = jsonw_start(&out);
    char error[128];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof error};
    const char *back = NULL;

    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "a \"key\"", text);
    jsonw_object_end(&w);
    assert_int_equal(jsonr_parse_object(&in, out.data, out.size), 0);
    assert_int_equal(jsonr_text(&in, "a \"key\"", JSONR_REQUIRED, &back), 0);
    assert_string_equal(back, text);
    jsonr_free(in.object);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas_and_nesting),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_what_is_not_utf8_is_replaced),
        cmocka_unit_test(test_reader_takes_any_bytes),
        cmocka_unit_test(test_texts_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
