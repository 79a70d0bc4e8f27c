#include "decision_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COMMAND(t, value, id)                                                                     \
    "{\"t\":" #t ",\"by\":\"r\",\"topic\":\"iot/a/b/command/fan\",\"payload\":{\"value\":" #value \
    ",\"id\":\"" #id "\",\"ts\":" #t "}}\n"
#define ALERT(t, episode)                                                                         \
    "{\"t\":" #t ",\"by\":\"r\",\"topic\":\"iot/a/b/alert/r\",\"payload\":{\"state\":\"firing\"," \
    "\"episode\":" #episode ",\"cause\":{\"seq\":1,\"values\":{\"id\":\"x\"}}}}\n"
#define READING(t, seq, own)                                                               \
    "{\"t\":" #t ",\"by\":\"r\",\"topic\":\"iot/a/b/telemetry/m\",\"payload\":{\"ts\":" #t \
    ",\"seq\":" #seq ",\"values\":{\"a\":1,\"seq\":" #own "}}}\n"

static void check(const char *ours, const char *theirs, const char *expected)
{
    char said[2048] = "";
    FILE *out = fmemopen(said, sizeof(said), "w");
    bool differ = decision_diff(ours, theirs, out);
    fclose(out);
    assert_string_equal(said, expected);
    assert_int_equal(differ, expected[0] != '\0');
}

static void test_same(void **state)
{
    (void)state;
    check("", "", "");
    check(COMMAND(1, true, x) ALERT(1, 1), COMMAND(1, true, x) ALERT(1, 1), "");
    check(COMMAND(1, true, x) ALERT(1, 1), ALERT(1, 1) COMMAND(1, true, x), "");
}

static void test_what_only_counts_is_no_difference(void **state)
{
    (void)state;
    check(COMMAND(1, true, x), COMMAND(1, true, other), "");
    check(ALERT(1, 9), ALERT(1, 10), "");
    check(READING(1, 9, 3), READING(1, 10, 3), "");
}

static void test_differences(void **state)
{
    (void)state;
    check(COMMAND(1, true, x) COMMAND(3, false, y), COMMAND(1, true, x) COMMAND(2, false, y),
          "+" COMMAND(2, false, y) "-" COMMAND(3, false, y));
    check(COMMAND(1, true, x), "", "-" COMMAND(1, true, x));
    check("", COMMAND(1, true, x), "+" COMMAND(1, true, x));
    check(COMMAND(1, true, x) ALERT(5, 1), COMMAND(1, false, x) ALERT(5, 1),
          "-" COMMAND(1, true, x) "+" COMMAND(1, false, x));
    /* A field of the user's that is called as a number of ours is. */
    check(READING(1, 9, 3), READING(1, 9, 4), "-" READING(1, 9, 3) "+" READING(1, 9, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_what_only_counts_is_no_difference),
        cmocka_unit_test(test_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
