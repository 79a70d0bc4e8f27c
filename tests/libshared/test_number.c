/* Numbers: the shortest form, the way back, strictness, and a locale with another point. */
#include "number.h"

#include <errno.h>
#include <float.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(double number, const char *expected)
{
    char text[NUMBER_SIZE];
    size_t length = number_format(text, number);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void test_format(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-1, "-1"},
        {10, "10"},
        {100, "100"},
        {23.45, "23.45"},
        {-23.45, "-23.45"},
        {0.1, "0.1"},
        {0.05, "0.05"},
        {-0.05, "-0.05"},
        {0.000001, "0.000001"},
        {0.0000015, "1.5e-6"},
        {1e-7, "1e-7"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {100.0 / 3, "33.333333333333336"},
        {2.5e-5, "0.000025"},
        {123456789.123456, "123456789.123456"},
        {1763805600123, "1763805600123"},
        {4294967295, "4294967295"},
        {999999999999999, "999999999999999"},
        {1e15, "1e15"},
        {1234567890123456, "1234567890123456"},
        {9007199254740992, "9007199254740992"},
        {1e21, "1e21"},
        {1e22, "1e22"},
        {1e100, "1e100"},
        {DBL_MAX, "1.7976931348623157e308"},
        {-DBL_MAX, "-1.7976931348623157e308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {DBL_EPSILON, "2.220446049250313e-16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_text(cases[i].number, cases[i].text);
}

static uint64_t next_random(uint64_t *seed) /* Marsaglia's xorshift64, 2003 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void assert_comes_back(double number)
{
    char text[NUMBER_SIZE];
    double back = NAN;
    size_t length = number_format(text, number);
    assert_true(length < NUMBER_SIZE);
    assert_int_equal(number_parse(text, length, &back), 0);
    assert_true(back == number);
    assert_true(strtod(text, NULL) == number); /* the C library agrees */
}

/* Any bits that are a finite double, and numbers as sensors give them. */
static void test_comes_back(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random(&seed);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number))
            assert_comes_back(number);
        assert_comes_back((double)(int64_t)(bits % 2000000) / 1000 - 1000);
        assert_comes_back((double)(float)((double)(bits % 100000) / 100));
    }
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"5", 5},
        {"+5", 5},
        {"-5", -5},
        {"007", 7},
        {"23.45", 23.45},
        {"+0012.30", 12.3},
        {"0.1", 0.1},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"1.5e-3", 0.0015},
        {"1e-400", 0},
        {"5e-324", 5e-324},
        {"2.4703282292062327e-324", 0},
        {"999999999999999", 999999999999999},
        {"9007199254740993", 9007199254740992},
        {"9007199254740993.0000000000000000000000000000001", 9007199254740994},
        {"0.30000000000000004", 0.1 + 0.2},
        {"1.7976931348623157e308", DBL_MAX},
        {"0.00000000000000000000000000000000000000000000000001", 1e-50},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double number = NAN;
        assert_int_equal(number_parse(cases[i].text, strlen(cases[i].text), &number), 0);
        assert_true(number == cases[i].number);
    }
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"", -EINVAL},        {" ", -EINVAL},      {" 1", -EINVAL},
        {"1 ", -EINVAL},      {"1\n", -EINVAL},    {"+", -EINVAL},
        {"-", -EINVAL},       {"--1", -EINVAL},    {"+-1", -EINVAL},
        {".", -EINVAL},       {".5", -EINVAL},     {"5.", -EINVAL},
        {"1.2.3", -EINVAL},   {"1,5", -EINVAL},    {"1'000", -EINVAL},
        {"e5", -EINVAL},      {"1e", -EINVAL},     {"1e+", -EINVAL},
        {"1e5.5", -EINVAL},   {"1ee5", -EINVAL},   {"0x10", -EINVAL},
        {"0x1p3", -EINVAL},   {"nan", -EINVAL},    {"NaN", -EINVAL},
        {"inf", -EINVAL},     {"-inf", -EINVAL},   {"Infinity", -EINVAL},
        {"1f", -EINVAL},      {"true", -EINVAL},   {"\xd9\xa1", -EINVAL},
        {"1e309", -ERANGE},   {"-1e309", -ERANGE}, {"1e99999999999999999999", -ERANGE},
        {"1.8e308", -ERANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double number = 42;
        assert_int_equal(number_parse(cases[i].text, strlen(cases[i].text), &number),
                         cases[i].error);
        assert_true(number == 42);
    }
}

/* The text need not end, and what stands behind it is not looked at: valgrind and ASan watch. */
static void test_parse_length(void **state)
{
    (void)state;
    static const char text[] = "12.5e3xyz";
    const struct {
        size_t length;
        int result;
        double number;
    } cases[] = {
        {0, -EINVAL, 0}, {1, 0, 1},       {2, 0, 12},    {3, -EINVAL, 0},
        {4, 0, 12.5},    {5, -EINVAL, 0}, {6, 0, 12500}, {7, -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double number = 0;
        char *exact = malloc(cases[i].length + 1); /* malloc(0) may be NULL */
        memcpy(exact + 1, text, cases[i].length);
        assert_int_equal(number_parse(exact + 1, cases[i].length, &number), cases[i].result);
        assert_true(number == cases[i].number);
        free(exact);
    }
    double number = 0;
    assert_int_equal(number_parse("1\0002", 3, &number), -EINVAL);
}

static void test_parse_long(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_MAX + 1];
    memset(text, '0', sizeof text);
    text[1] = '.';
    text[NUMBER_TEXT_MAX - 1] = '1';
    double number = 42;
    assert_int_equal(number_parse(text, NUMBER_TEXT_MAX, &number), 0);
    assert_true(number == 0);
    assert_int_equal(number_parse(text, NUMBER_TEXT_MAX + 1, &number), -EINVAL);
    memset(text, '9', sizeof text);
    assert_int_equal(number_parse(text, NUMBER_TEXT_MAX, &number), -ERANGE);
}

/* Makes a locale with a comma, since a machine need not have one. */
static bool comma_locale(void)
{
    char directory[] = "/tmp/fieldline-locale-XXXXXX";
    char command[256];
    if (!mkdtemp(directory))
        return false;
    snprintf(command, sizeof command, "localedef -i de_DE -f ISO-8859-1 %s/comma >/dev/null 2>&1",
             directory);
    setenv("LOCPATH", directory, 1);
    bool made = system(command) == 0 && setlocale(LC_ALL, "comma") != NULL;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command) == 0 && made && strcmp(nl_langinfo(RADIXCHAR), ",") == 0;
}

static void test_locale(void **state)
{
    (void)state;
    if (!comma_locale())
        skip(); /* no localedef or no sources of locales: package "locales" */
    char text[NUMBER_SIZE];
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5"); /* the locale is in effect */
    double number = 0;
    assert_text(23.45, "23.45");
    assert_text(1.0 / 3, "0.3333333333333333");
    assert_text(1.5e-7, "1.5e-7");
    assert_int_equal(number_parse("0.30000000000000004", 19, &number), 0);
    assert_true(number == 0.1 + 0.2);
    assert_int_equal(number_parse("0,5", 3, &number), -EINVAL);
    assert_int_equal(number_parse("1.5e-7", 6, &number), 0);
    assert_true(number == 1.5e-7);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),       cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_parse),        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_length), cmocka_unit_test(test_parse_long),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
