/* Readings joined to one payload, and read again. */
#include "reading_array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct reading_array *array, uint64_t seq)
{
    struct reading reading = {0};

    reading_reset(&reading, 1763805600123, seq);
    assert_int_equal(reading_add(&reading, "x", value_number((double)seq)), 0);
    assert_int_equal(reading_array_add(array, &reading), 0);
    reading_free(&reading);
}

static void note(void *self, const struct reading *reading)
{
    char *said = self;
    size_t length = strlen(said);

    snprintf(said + length, 64 - length, "%d ", (int)reading->seq);
}

/* Ends it, reads it, and starts anew. */
static void assert_holds(struct reading_array *array, const char *expected, char first)
{
    char said[64] = "", error[128];
    size_t size;
    const char *payload = reading_array_end(array, &size);

    assert_int_equal(payload[0], first);
    assert_int_equal(reading_decode(payload, size, note, said, error, sizeof error), 0);
    assert_string_equal(said, expected);
    reading_array_clear(array);
    assert_true(reading_array_is_empty(array));
}

static void one_alone_is_no_array(void **state)
{
    struct reading_array array = {0};

    (void)state;
    assert_true(reading_array_is_empty(&array));
    for (int round = 0; round < 2; round++) {
        add(&array, 1);
        assert_false(reading_array_is_empty(&array));
        assert_holds(&array, "1 ", '{');
        add(&array, 2);
        add(&array, 3);
        add(&array, 4);
        assert_holds(&array, "2 3 4 ", '[');
    }
    reading_array_free(&array);
}

static void encoded_ones_and_arrays_of_them_are_joined(void **state)
{
    static const char one[] = "{\"ts\":1,\"seq\":1,\"values\":{}}";
    static const char two[] =
        "[{\"ts\":2,\"seq\":2,\"values\":{}},{\"ts\":3,\"seq\":3,\"values\":{}}]";
    struct reading_array array = {0};

    (void)state;
    assert_int_equal(reading_array_add_encoded(&array, two, strlen(two)), 0);
    assert_holds(&array, "2 3 ", '[');
    assert_int_equal(reading_array_add_encoded(&array, one, strlen(one)), 0);
    assert_holds(&array, "1 ", '{');
    assert_int_equal(reading_array_add_encoded(&array, one, strlen(one)), 0);
    assert_int_equal(reading_array_add_encoded(&array, two, strlen(two)), 0);
    add(&array, 4);
    assert_holds(&array, "1 2 3 4 ", '[');
    reading_array_free(&array);
}

static void it_says_when_it_is_full(void **state)
{
    struct reading_array array = {0};
    uint64_t n = 0;

    (void)state;
    while (!reading_array_is_full(&array))
        add(&array, ++n);
    assert_in_range(array.text.size, READING_ARRAY_MAX, READING_ARRAY_MAX + 100);
    assert_in_range(n, READING_ARRAY_MAX / 60, READING_ARRAY_MAX / 40);
    reading_array_free(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alone_is_no_array),
        cmocka_unit_test(encoded_ones_and_arrays_of_them_are_joined),
        cmocka_unit_test(it_says_when_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
