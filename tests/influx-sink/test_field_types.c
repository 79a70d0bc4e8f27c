/* field_types.c, field_types_file.c and conflict.c */
#include "conflict.h"
#include "field_types_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static char path[96];
static struct field_types *types;

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_types.XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/types.jsonl", directory);
    return field_types_open(&types, 1000);
}

static int tear_down(void **state)
{
    char beside[128];

    (void)state;
    field_types_close(types);
    types = NULL;
    unlink(path);
    snprintf(beside, sizeof(beside), "%s.new", path);
    unlink(beside);
    return rmdir(directory);
}

static void check(const char *measurement, const char *field, enum field_type expected)
{
    enum field_type type;

    assert_true(field_types_find(types, measurement, field, &type));
    assert_int_equal(type, expected);
}

static void test_many_fields(void **state)
{
    char field[32];
    enum field_type type;

    (void)state;
    for (int i = 0; i < 1500; i++) {
        snprintf(field, sizeof(field), "f%d", i);
        field_types_set(types, i % 2 ? "odd" : "even", field, (enum field_type)(i % 4));
    }
    assert_int_equal(field_types_count(types), 1000); /* bounded */
    assert_true(field_types_full(types));
    for (int i = 0; i < 1000; i++) {
        snprintf(field, sizeof(field), "f%d", i);
        check(i % 2 ? "odd" : "even", field, (enum field_type)(i % 4));
        assert_false(field_types_find(types, i % 2 ? "even" : "odd", field, &type));
    }
    assert_false(field_types_find(types, "odd", "f1001", &type));
}

static void test_names_are_kept_apart(void **state)
{
    enum field_type type;

    (void)state;
    field_types_set(types, "ab", "c", FIELD_TEXT);
    assert_false(field_types_find(types, "a", "bc", &type));
    assert_false(field_types_find(types, "ab", "", &type));
    field_types_set(types, "a", "bc", FIELD_FLOAT);
    check("ab", "c", FIELD_TEXT);
}

static void test_change_is_told_once(void **state)
{
    (void)state;
    assert_false(field_types_take_change(types));
    field_types_set(types, "m", "f", FIELD_FLOAT);
    assert_true(field_types_take_change(types));
    assert_false(field_types_take_change(types));
    field_types_set(types, "m", "f", FIELD_FLOAT);
    assert_false(field_types_take_change(types));
    field_types_set(types, "m", "f", FIELD_INTEGER);
    assert_true(field_types_take_change(types));
}

static void reload(int expected)
{
    field_types_close(types);
    assert_int_equal(field_types_open(&types, 1000), 0);
    assert_int_equal(field_types_load(types, path), expected);
}

static void test_kept_over_a_restart(void **state)
{
    (void)state;
    assert_int_equal(field_types_load(types, path), 0); /* there is none yet */
    field_types_set(types, "sensors", "temperature", FIELD_FLOAT);
    field_types_set(types, "health", "counters.\"odd\" \\ name", FIELD_INTEGER);
    field_types_set(types, "sensors", "fan", FIELD_BOOLEAN);
    field_types_set(types, "alert", "message", FIELD_TEXT);
    assert_int_equal(field_types_save(types, path), 0);
    reload(0);
    assert_int_equal(field_types_count(types), 4);
    check("sensors", "temperature", FIELD_FLOAT);
    check("health", "counters.\"odd\" \\ name", FIELD_INTEGER);
    check("sensors", "fan", FIELD_BOOLEAN);
    check("alert", "message", FIELD_TEXT);
    assert_false(field_types_take_change(types));
}

static void put_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_damaged_lines_are_passed_over(void **state)
{
    (void)state;
    put_file("{\"format\":\"fieldline-types\",\"version\":1}\n"
             "{\"measurement\":\"a\",\"field\":\"b\",\"type\":\"integer\"}\n"
             "garbage\n"
             "{\"measurement\":\"a\",\"field\":\"c\",\"type\":\"colour\"}\n"
             "{\"measurement\":\"a\",\"field\":\"d\",\"ty");
    reload(3);
    assert_int_equal(field_types_count(types), 1);
    check("a", "b", FIELD_INTEGER);
    assert_true(field_types_take_change(types)); /* so that it is written anew */
}

static void test_foreign_file_is_refused(void **state)
{
    (void)state;
    put_file("{\"format\":\"fieldline-types\",\"version\":2}\n");
    reload(-EPROTO);
    put_file("something else\n");
    reload(-EPROTO);
}

static void test_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    field_types_set(types, "a", "b", FIELD_FLOAT);
    assert_int_equal(field_types_save(types, path), 0);
    field_types_set(types, "a", "c", FIELD_FLOAT);
    assert_int_equal(field_types_save(types, "/nowhere/types.jsonl"), -ENOENT);
    reload(0);
    assert_int_equal(field_types_count(types), 1);
}

static void test_store_tells_the_type(void **state)
{
    (void)state;
    field_types_set(types, "sensors", "n", FIELD_TEXT);
    field_types_take_change(types);
    /* InfluxDB 1.6.7's own words */
    assert_true(conflict_learn(
        types,
        "{\"error\":\"partial write: field type conflict: input field \\\"n\\\" on measurement "
        "\\\"sensors\\\" is type string, already exists as type float dropped=1\"}"));
    check("sensors", "n", FIELD_FLOAT);
    assert_true(field_types_take_change(types));
    assert_true(conflict_learn(types,
                               "failure writing points to database: partial write: field type "
                               "conflict: input field \"m\" on measurement \"sensors\" is type "
                               "float, already exists as type integer dropped=1"));
    check("sensors", "m", FIELD_INTEGER);
    assert_false(conflict_learn(types,
                                "field type conflict: input field \"m\" on measurement "
                                "\"sensors\" is type float, already exists as type integer"));
}

static void test_other_words_teach_nothing(void **state)
{
    static const char *const words[] = {
        "",
        "field type conflict: ",
        "input field \"n\" on measurement \"m\" is type string, already exists as type float",
        "field type conflict: input field \"n on measurement m",
        "field type conflict: input field \"n\" on measurement \"m\" is type string",
        "field type conflict: input field \"n\" on measurement \"m\", already exists as type tree",
        "field type conflict: input field \"\" on measurement \"m\", already exists as type float",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_false(conflict_learn(types, words[i]));
    assert_int_equal(field_types_count(types), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_many_fields),
        TEST(test_names_are_kept_apart),
        TEST(test_change_is_told_once),
        TEST(test_kept_over_a_restart),
        TEST(test_damaged_lines_are_passed_over),
        TEST(test_foreign_file_is_refused),
        TEST(test_failed_save_leaves_the_old_file),
        TEST(test_store_tells_the_type),
        TEST(test_other_words_teach_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
