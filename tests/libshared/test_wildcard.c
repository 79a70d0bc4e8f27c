#include "wildcard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_matches(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"*", "", true},
        {"*", "pump", true},
        {"pump", "pump", true},
        {"pump", "pump_1", false},
        {"pump_*", "pump_1", true},
        {"pump_*", "pump", false},
        {"*_1", "pump_1", true},
        {"*_1", "pump_12", false},
        {"a*b*c", "axxbyyc", true},
        {"a*b*c", "axxcyyb", false},
        {"a|b", "b", true},
        {"a|b", "a", true},
        {"a|b", "ab", false},
        {"a|b", "a|b", false},
        {"pump_*|valve", "valve", true},
        {"valve|pump_*", "pump_9", true},
        {"a*|c", "b", false},
        {"**", "x", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (wildcard_matches(cases[i].pattern, cases[i].name) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].name);
}

static void test_valid(void **state)
{
    static const char *const good[] = {"*", "a", "a|b", "pump_*|*-x"};
    static const char *const bad[] = {"", "|", "a|", "|a", "a||b", "A", "a b", "a?", "[a]", "a/b"};
    char longest[WILDCARD_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!wildcard_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (wildcard_valid(bad[i]))
            fail_msg("taken: %s", bad[i]);
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(wildcard_valid(longest));
    longest[WILDCARD_MAX] = '\0';
    assert_true(wildcard_valid(longest));
}

/* What a matcher that tries everything would take years for. */
static void test_many_stars(void **state)
{
    (void)state;
    assert_false(
        wildcard_matches("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_many_stars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
