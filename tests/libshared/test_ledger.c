/* The ledger keeps copies, of everything, and no more than it may. */
#include "ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct ledger *ledger, const char *id, struct value value)
{
    struct command_result result = {.id = id, .outcome = COMMAND_OK, .value = value, .took_ms = 7};

    ledger_add(ledger, &result);
}

static void results_are_copied_whole(void **state)
{
    char id[] = "a1";
    char reason[] = "exception_2";
    char source[] = "operator";
    char text[] = "manual";
    char previous[] = "auto";
    char wanted[] = "off";
    struct command_result result = {.id = id,
                                    .outcome = COMMAND_FAILED,
                                    .reason = reason,
                                    .value = value_text(text),
                                    .previous = value_text(previous),
                                    .wanted = value_text(wanted),
                                    .ts_ms = 1,
                                    .queued_ms = 2,
                                    .took_ms = 3,
                                    .source = source};
    struct command_result found;
    struct ledger *ledger;

    (void)state;
    assert_int_equal(ledger_open(&ledger, 2), 0);
    ledger_add(ledger, &result);
    memset(id, 'x', 2);
    memset(reason, 'x', 2);
    memset(source, 'x', 2);
    memset(text, 'x', 2);
    memset(previous, 'x', 2);
    memset(wanted, 'x', 2);
    assert_true(ledger_find(ledger, "a1", &found));
    assert_string_equal(found.id, "a1");
    assert_int_equal(found.outcome, COMMAND_FAILED);
    assert_string_equal(found.reason, "exception_2");
    assert_string_equal(found.source, "operator");
    assert_string_equal(found.value.text, "manual");
    assert_string_equal(found.previous.text, "auto");
    assert_string_equal(found.wanted.text, "off");
    assert_int_equal(found.ts_ms, 1);
    assert_int_equal(found.queued_ms, 2);
    assert_int_equal(found.took_ms, 3);
    ledger_close(ledger);
}

static void the_oldest_gives_way(void **state)
{
    struct command_result found;
    struct ledger *ledger;

    (void)state;
    assert_int_equal(ledger_open(&ledger, 2), 0);
    assert_false(ledger_find(ledger, "a", &found));
    add(ledger, "a", value_text("a"));
    add(ledger, "b", value_text("b"));
    add(ledger, "c", value_text("c"));
    assert_false(ledger_find(ledger, "a", &found));
    assert_true(ledger_find(ledger, "b", &found));
    assert_true(ledger_find(ledger, "c", &found));
    assert_string_equal(found.value.text, "c");
    assert_null(found.reason);
    ledger_close(ledger);
}

static void without_an_id_nothing_is_kept(void **state)
{
    struct command_result found;
    struct ledger *ledger;

    (void)state;
    assert_int_equal(ledger_open(&ledger, 1), 0);
    add(ledger, "a", value_bool(true));
    add(ledger, "", value_bool(false));
    add(ledger, NULL, value_bool(false));
    assert_false(ledger_find(ledger, "", &found));
    assert_true(ledger_find(ledger, "a", &found));
    ledger_close(ledger);
    ledger_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_copied_whole),
        cmocka_unit_test(the_oldest_gives_way),
        cmocka_unit_test(without_an_id_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
