/* Zone files that are damaged, and rules that zoneinfo has none of today. */
#include "tzif.h"
#include "tzif_rule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_MAX 4096
#define HEADER "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static size_t read_berlin(char data[FILE_MAX])
{
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");
    size_t size;

    assert_non_null(file);
    size = fread(data, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

/* Opened or not: what is opened can be asked for any time. */
static int try_out(const char *data, size_t size)
{
    char *exact = malloc(size ? size : 1); /* so that a byte too far is seen */
    struct tzif *tzif = NULL;
    int rc;

    memcpy(exact, data, size);
    rc = tzif_open(&tzif, exact, size);
    free(exact);
    if (rc < 0)
        return rc;
    for (int64_t at = -INT64_C(3000000000); at < INT64_C(9000000000); at += 77777777)
        assert_true(strlen(tzif_at(tzif, at).name) < FILE_MAX);
    tzif_close(tzif);
    return 0;
}

static void test_damaged_files(void **state)
{
    char data[FILE_MAX];
    size_t size = read_berlin(data);

    (void)state;
    assert_int_equal(try_out(data, size), 0);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(try_out(data, i), -EBADMSG);
    for (size_t i = 0; i < 8 * size; i++) {
        data[i / 8] ^= (char)(1 << i % 8);
        try_out(data, size);
        data[i / 8] ^= (char)(1 << i % 8);
    }
}

static void test_other_files(void **state)
{
    static const char version_1[44] = "TZif";
    static const char no_types[] = HEADER "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    (void)state;
    assert_int_equal(try_out("", 0), -EBADMSG);
    assert_int_equal(try_out(version_1, sizeof version_1), -EBADMSG);
    assert_int_equal(try_out(no_types, sizeof no_types - 1), -EBADMSG);
}

static void check_rule(const char *text, int64_t seconds, int offset, const char *name)
{
    struct tzif_rule rule;
    struct tzif_offset at;

    if (tzif_rule_parse(&rule, text, strlen(text)) < 0)
        fail_msg("%s: is refused", text);
    at = tzif_rule_at(&rule, seconds);
    if (at.seconds != offset || strcmp(at.name, name) != 0)
        fail_msg("%s at %lld: %d %s", text, (long long)seconds, at.seconds, at.name);
}

static void test_rules(void **state)
{
    (void)state;
    check_rule("UTC0", 0, 0, "UTC");
    check_rule("<+0545>-5:45", 0, 20700, "+0545");
    check_rule("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", 1774745999, -10800, "-03"); /* Greenland's */
    check_rule("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", 1774746000, -7200, "-02");
    /* RFC 8536, section 3.3.1: summer time all year. */
    check_rule("EST5EDT,0/0,J365/25", 1767243600, -14400, "EDT");
    check_rule("EST5EDT,0/0,J365/25", 1798779599, -14400, "EDT");
    /* J60 is 1 March in any year, 60 from 0 on is so in leap years only. */
    check_rule("AAA0BBB,J60/0,J61/0", 1709251200, 3600, "BBB"); /* 2024-03-01 */
    check_rule("AAA0BBB,60/0,61/0", 1709251200, 3600, "BBB");
    check_rule("AAA0BBB,60/0,61/0", 1740787200, 0, "AAA"); /* 2025-03-01 is the 59th */
}

static void test_bad_rules(void **state)
{
    static const char *const bad[] = {"",
                                      "CE-1",
                                      "CET",
                                      "CET-25",
                                      "<CET-1",
                                      "CET-1 ",
                                      "CET-1CEST",
                                      "CET-1CEST,",
                                      "C1T-1",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,J0,J1",
                                      "CET-1CEST,M3.5.0,M10.5.0/168",
                                      "CET-1CEST,M3.5.0,M10.5.0,",
                                      "ABCDEFGHIJKLMNOPQ-1",
                                      "CET-1:60"};
    struct tzif_rule rule;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tzif_rule_parse(&rule, bad[i], strlen(bad[i])) != -EBADMSG)
            fail_msg("\"%s\" is taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_bad_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
