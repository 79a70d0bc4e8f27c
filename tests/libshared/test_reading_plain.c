/* reading_plain.c takes what agents write and leaves the rest to the complete reader; that both
 * read the same is for tests/fuzz/fuzz_reading.c. */
#include "reading.h"
#include "reading_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    int n;
    struct buffer text; /* each as it is written, one after the other */
};

static void on_reading(void *self, const struct reading *reading)
{
    struct seen *seen = self;

    seen->n++;
    assert_int_equal(reading_encode(reading, &seen->text), 0);
}

static void check_taken(const char *payload, int n, const char *text)
{
    struct seen seen = {0};

    assert_int_equal(reading_plain_decode(payload, strlen(payload), on_reading, &seen), 1);
    assert_int_equal(seen.n, n);
    assert_string_equal(buffer_string(&seen.text), text);
    buffer_free(&seen.text);
}

static void check_left(const char *payload, size_t size)
{
    struct seen seen = {0};

    assert_int_equal(reading_plain_decode(payload, size, on_reading, &seen), 0);
    assert_int_equal(seen.n, 0);
}

static void test_what_agents_write_is_taken(void **state)
{
    static const char one[] = "{\"ts\":1763805600123,\"seq\":42,\"values\":{\"temperature\":23.45,"
                              "\"n\":-7,\"x\":23.450000762939453,\"fan\":true,\"lamp\":false,"
                              "\"mode\":\"auto, 2\"},\"bad\":{\"pressure\":\"out_of_range\"}}";
    char array[512], both[512];

    (void)state;
    check_taken(one, 1, one);
    snprintf(array, sizeof(array), "[%s,%s]", one, one);
    snprintf(both, sizeof(both), "%s%s", one, one);
    check_taken(array, 2, both);
    /* Names that are not those of the reading before, or not all, or in another order. */
    check_taken("[{\"ts\":1,\"seq\":2,\"values\":{\"a\":1,\"b\":2}},"
                "{\"ts\":1,\"seq\":3,\"values\":{\"a\":1,\"bc\":3,\"b\":-0.25}},"
                "{\"ts\":1,\"seq\":4,\"values\":{\"bc\":4,\"a\":5}}]",
                3,
                "{\"ts\":1,\"seq\":2,\"values\":{\"a\":1,\"b\":2}}"
                "{\"ts\":1,\"seq\":3,\"values\":{\"a\":1,\"bc\":3,\"b\":-0.25}}"
                "{\"ts\":1,\"seq\":4,\"values\":{\"bc\":4,\"a\":5}}");
    check_taken(" { \"ts\" : 0 , \"seq\" : 0 ,\t\"values\" : { } }\r\n", 1,
                "{\"ts\":0,\"seq\":0,\"values\":{}}");
}

/* As much as fits into few bytes, for AddressSanitizer to see that there is room. */
static void test_densest(void **state)
{
    struct buffer text = {0};
    struct seen seen = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        buffer_format(&text, "%c{\"ts\":1,\"seq\":1,\"values\":{%s}%s}", i == 0 ? '[' : ',',
                      i % 3 == 1 ? "\"a\":1,\"b\":1,\"c\":1,\"d\":1" : "",
                      i % 3 == 2 ? ",\"bad\":{\"a\":\"b\",\"b\":\"b\",\"c\":\"b\"}" : "");
    buffer_char(&text, ']');
    assert_int_equal(reading_plain_decode(text.data, text.size, on_reading, &seen), 1);
    assert_int_equal(seen.n, 1000);
    buffer_free(&text);
    buffer_free(&seen.text);
}

static void test_the_rest_is_left(void **state)
{
    static const char with_nul[] = "{\"ts\":1,\"seq\":1,\"values\":{}}";
    static const char *const payloads[] = {
        "",
        "[]",
        "{}",
        "null",
        "{\"seq\":1,\"ts\":1,\"values\":{}}",                       /* another order */
        "{\"ts\":1,\"seq\":1,\"values\":{},\"more\":1}",            /* an unknown key */
        "{\"ts\":1,\"seq\":1,\"values\":{\"a\":1e3}}",              /* an exponent */
        "{\"ts\":1,\"seq\":1,\"values\":{\"a\":01}}",               /* no number of JSON */
        "{\"ts\":1,\"seq\":1,\"values\":{\"a\":1.}}",               /* nor this */
        "{\"ts\":1,\"seq\":1,\"values\":{\"a\":9007199254740993}}", /* too long to be sure */
        "{\"ts\":1,\"seq\":1,\"values\":{\"a\":\"\\n\"}}",          /* an escape */
        "{\"ts\":1,\"seq\":1,\"values\":{\"a\":\"\xc3\xa4\"}}",     /* beyond ASCII */
        "{\"ts\":1,\"seq\":1,\"values\":{\"a\":1,\"a\":1}}",        /* a name twice */
        "[{\"ts\":1,\"seq\":1,\"values\":{\"a\":1,\"b\":1}},"       /* in the second one */
        "{\"ts\":1,\"seq\":2,\"values\":{\"b\":1,\"b\":1}}]",
        "[{\"ts\":1,\"seq\":1,\"values\":{\"a\":1,\"b\":1}},"
        "{\"ts\":1,\"seq\":2,\"values\":{\"a\":1,\"a\":1}}]",
        "{\"ts\":1,\"seq\":1,\"values\":{\"A\":1}}", /* no name */
        "{\"ts\":-1,\"seq\":1,\"values\":{}}",
        "{\"ts\":1,\"seq\":1.5,\"values\":{}}",
        "{\"ts\":1,\"seq\":1,\"values\":{},\"bad\":{\"a\":\"\"}}",
        "[{\"ts\":1,\"seq\":1,\"values\":{}},{\"ts\":1,\"seq\":1}]", /* the second is bad */
        "{\"ts\":1,\"seq\":1,\"values\":{}}x"};

    (void)state;
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        check_left(payloads[i], strlen(payloads[i]));
    check_left(with_nul, sizeof(with_nul));
}

static void test_cut_at_every_byte(void **state)
{
    static const char whole[] = "[{\"ts\":1,\"seq\":2,\"values\":{\"a\":1.5,\"b\":\"c\"},\"bad\":"
                                "{\"d\":\"e\"}},{\"ts\":3,\"seq\":4,\"values\":{\"a\":true}}]";

    (void)state;
    for (size_t size = 0; size < sizeof(whole) - 1; size++)
        check_left(whole, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_agents_write_is_taken),
        cmocka_unit_test(test_densest),
        cmocka_unit_test(test_the_rest_is_left),
        cmocka_unit_test(test_cut_at_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
