/* Values: equality over all pairs of types, and copies that own their text. */
#include "value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* All different from each other. */
static const struct value values[] = {
    {.type = VALUE_NONE},
    {.type = VALUE_BOOL, .boolean = false},
    {.type = VALUE_BOOL, .boolean = true},
    {.type = VALUE_NUMBER, .number = 0},
    {.type = VALUE_NUMBER, .number = 1},
    {.type = VALUE_NUMBER, .number = 1.0000000000000002},
    {.type = VALUE_TEXT, .text = ""},
    {.type = VALUE_TEXT, .text = "1"},
    {.type = VALUE_TEXT, .text = "true"},
    {.type = VALUE_TEXT, .text = "True"},
};

static void test_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++)
            assert_int_equal(value_equal(&values[i], &values[j]), i == j);
    }
    struct value minus_zero = value_number(-0.0);
    assert_true(value_equal(&minus_zero, &values[3]));
    char same[] = "true";
    struct value text = value_text(same);
    assert_true(value_equal(&text, &values[8]));
}

static void test_copy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct value copy;
        assert_int_equal(value_copy(&copy, &values[i]), 0);
        assert_true(value_equal(&copy, &values[i]));
        value_free(&copy);
        assert_int_equal(copy.type, VALUE_NONE);
        value_free(&copy);
    }
}

static void test_copy_owns(void **state)
{
    (void)state;
    char source[] = "before";
    struct value text = value_text(source);
    struct value copy;
    assert_int_equal(value_copy(&copy, &text), 0);
    strcpy(source, "after");
    assert_string_equal(copy.text, "before");
    value_free(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_copy_owns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
