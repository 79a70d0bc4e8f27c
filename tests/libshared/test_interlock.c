/* Interlocks over a device's last good values, in virtual time, and how they are read from a file.
 */
#include "interlock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void take(struct latest *latest, const char *measurement, const char *field,
                 struct value value, int64_t now_ms)
{
    struct reading reading = {0};

    assert_int_equal(reading_add(&reading, field, value), 0);
    latest_take(latest, measurement, &reading, now_ms);
    reading_free(&reading);
}

static bool holds(const char *text, const struct latest *latest, int64_t now_ms)
{
    struct interlock *interlock;
    bool result;

    assert_int_equal(interlock_open(&interlock, text), 0);
    result = interlock_holds(interlock, latest, now_ms);
    interlock_close(interlock);
    return result;
}

static void what_is_known_and_fresh_may_hold(void **state)
{
    static const char text[] = "level > 10 and age(level) < 30s";
    struct latest latest = {0};

    (void)state;
    assert_false(holds(text, &latest, 0)); /* unknown is never true */
    assert_false(holds("not (level > 10) or not (age(level) < 30s)", &latest, 0));
    take(&latest, "tank", "level", value_number(11), 1000);
    assert_true(holds(text, &latest, 30999));
    assert_false(holds(text, &latest, 31000));
    take(&latest, "tank", "level", value_number(10), 31000);
    assert_false(holds(text, &latest, 31000));
    take(&latest, "tank", "level", value_text("high"), 31000);
    assert_false(holds(text, &latest, 31000));
    latest_free(&latest);
}

static void measurements_are_told_apart(void **state)
{
    struct latest latest = {0};

    (void)state;
    take(&latest, "a", "open", value_bool(false), 0);
    take(&latest, "b", "open", value_bool(true), 0);
    assert_false(holds("a.open and age(a.open) < 1s", &latest, 0));
    assert_true(holds("b.open and age(b.open) < 1s", &latest, 0));
    assert_false(holds("c.open and age(b.open) < 1s", &latest, 0));
    latest_free(&latest);
}

static void many_fields_keep_their_values(void **state)
{
    struct latest latest = {0};
    struct reading reading = {0};
    char names[100][8];

    (void)state;
    for (int round = 0; round < 3; round++) {
        reading_reset(&reading, 0, 0);
        for (int i = round; i < 100; i++) { /* one less each time, so that the order shifts */
            snprintf(names[i], sizeof names[i], "f%d", i);
            assert_int_equal(reading_add(&reading, names[i], value_number(i + 1000 * round)), 0);
        }
        latest_take(&latest, "many", &reading, round);
    }
    assert_int_equal(latest.n_values, 100);
    assert_true(latest_find(&latest, "", "f0")->value.number == 0);
    assert_true(latest_find(&latest, "many", "f1")->value.number == 1001);
    assert_int_equal(latest_find(&latest, "many", "f1")->at_ms, 1);
    assert_true(latest_find(&latest, "many", "f99")->value.number == 2099);
    assert_null(latest_find(&latest, "few", "f99"));
    reading_free(&reading);
    latest_free(&latest);
}

static void assert_read(const char *expression, const char *problem)
{
    struct config *config;
    char text[256];
    char *report = NULL;
    size_t size;
    FILE *file = open_memstream(&report, &size);

    snprintf(text, sizeof text, "{\"interlock\":\"%s\"}", expression);
    assert_int_equal(config_open_text(&config, "test", text), 0);
    interlock_configure(config_root(config), "interlock");
    assert_int_equal(config_check(config), problem == NULL);
    config_report(config, file);
    fclose(file);
    if (problem && !strstr(report, problem))
        fail_msg("\"%s\" is not in: %s", problem, report);
    free(report);
    config_close(config);
}

static void is_configured(void **state)
{
    (void)state;
    assert_read("level > 10 and age(level) < 30s", NULL);
    assert_read("level > 10", "interlock: says nothing about how old");
    assert_read("level >", "interlock: 1:8: ");
    assert_read("age(level)", "interlock: 1:");
    assert_read("mean(level, 1m) > 10 and age(level) < 30s", "windows are for rules only");
    assert_read("rate(level) < 1 and age(level) < 30s", "windows are for rules only");
    assert_read("previous(level) < 1 and age(level) < 30s", "windows are for rules only");
    assert_read("other.tank.level > 3 and age(other.tank.level) < 3s", "reads another device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_and_fresh_may_hold),
        cmocka_unit_test(measurements_are_told_apart),
        cmocka_unit_test(many_fields_keep_their_values),
        cmocka_unit_test(is_configured),
    };

    return cmocka_run_group_tests_name("interlock", tests, NULL, NULL);
}
