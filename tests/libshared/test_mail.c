/* The sending itself is tested against an SMTP server: tests/e2e/test_alerter_channels.py. */
#include "mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_addresses(void **state)
{
    static const char *const good[] = {"a@b", "ops+alarms@plant.example.org", "o'neill@x.y"};
    static const char *const bad[] = {
        "",      "a",       "@b",      "a@",      "a@b@c", "a b@c",      "a@b\r\nBcc: x@y",
        "<a@b>", "a@b,c@d", "a@b;c@d", "\"a\"@b", "a\\@b", "\xc3\xa4@b", "a@b\x7f"};
    char longest[256];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!mail_address_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (mail_address_valid(bad[i]))
            fail_msg("taken: %s", bad[i]);
    memset(longest, 'a', sizeof longest);
    longest[1] = '@';
    longest[255] = '\0';
    assert_false(mail_address_valid(longest));
    longest[254] = '\0';
    assert_true(mail_address_valid(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
