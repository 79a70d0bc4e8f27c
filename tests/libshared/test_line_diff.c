/* What is shown of two texts that differ. */
#include "line_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void check_diff(const char *expected, const char *actual, const char *shown)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(line_diff(expected, actual, out), shown[0] != '\0');
    fclose(out);
    assert_string_equal(text, shown);
    free(text);
}

static void test_diff(void **state)
{
    (void)state;
    check_diff("", "", "");
    check_diff("a\nb\n", "a\nb\n", "");
    check_diff("a\nb\nc\nd\ne\n", "a\nb\nc\nx\ny\ne\n", " b\n c\n-d\n+x\n+y\n");
    check_diff("a\n", "", "-a\n");
    check_diff("", "a\n", "+a\n");
    check_diff("a\na\n", "a\n", " a\n-a\n");
    check_diff("a\nb", "a\nb\n", " a\n-b\n+b\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_diff)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
