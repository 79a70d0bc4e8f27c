/* jsonr.c: all valid examples are JSON, cut ones are not; members by key; what it says about
 * faults. */
#include "examples.h"
#include "jsonr.h"

#include <errno.h>

static int parse(const char *text, size_t size, char *error, size_t error_size)
{
    struct json_object *tree;
    int result = jsonr_parse(&tree, text, size, error, error_size);

    jsonr_free(tree);
    return result;
}

static void check_refused(const char *name, const char *payload, size_t size)
{
    char error[128] = "";

    if (parse(payload, size, error, sizeof error) != -EBADMSG || error[0] == '\0')
        fail_msg("%s, %zu bytes of it: taken", name, size);
}

static void check_taken(const char *name, const char *payload, size_t size)
{
    char error[128] = "";

    if (strstr(name, ".txt"))
        return;
    if (parse(payload, size, error, sizeof error) != 0)
        fail_msg("%s: %s", name, error);
    example_cut(name, payload, size, check_refused);
}

static void test_valid_examples_of_every_payload(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "ack",   "alert",        "command",       "dead-letter", "echo",           "health",
        "meta",  "notification", "reading",       "result",      "service-status", "silence",
        "state", "stats-answer", "stats-request", "status"};

    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        examples_run(schemas[i], "valid", check_taken);
}

static void check_says(const char *text, const char *expected)
{
    char error[128] = "";

    assert_int_equal(parse(text, strlen(text), error, sizeof error), -EBADMSG);
    assert_string_equal(error, expected);
}

static void test_says_what_and_where(void **state)
{
    (void)state;
    check_says("", "not JSON, byte 0: the text ends too early");
    check_says("[1,2", "not JSON, byte 4: the text ends too early");
    check_says("[1 2]", "not JSON, byte 3: ',' or ']' is expected");
    check_says("{'a':1}", "not JSON, byte 1: a text in double quotes is expected");
    check_says("{\"a\":NaN}", "not JSON, byte 5: no JSON value begins like this");
    check_says("{} {}", "not JSON, byte 3: nothing may stand after the document");
    check_says("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "not JSON, byte 17: nested too deep");
    check_says("{\"a\":1,\"a\":1}", "a key stands twice in one object");
}

static void test_scalars_alone_are_documents(void **state)
{
    (void)state;
    static const char *const texts[] = {"1", "-0.5e-3", "\"\"", "true", "false", "null", " 12 "};
    char error[128];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(parse(texts[i], strlen(texts[i]), error, sizeof error), 0);
}

static struct jsonr open_object(const char *text, char *error, size_t error_size)
{
    struct jsonr in = {.path = "at.", .error = error, .error_size = error_size};

    assert_int_equal(jsonr_parse_object(&in, text, strlen(text)), 0);
    return in;
}

static void test_members(void **state)
{
    (void)state;
    char error[128] = "";
    struct jsonr in = open_object(
        "{\"i\":9007199254740991,\"n\":-1.5,\"t\":\"x\",\"b\":true,\"o\":{}}", error, sizeof error);
    int64_t integer = 0;
    double number = 0;
    const char *text = NULL;
    struct value value = {.type = VALUE_NONE};
    struct json_object *object = NULL;

    assert_int_equal(jsonr_integer(&in, "i", JSONR_REQUIRED, &integer), 0);
    assert_int_equal(integer, JSONR_INTEGER_MAX);
    assert_int_equal(jsonr_number(&in, "n", JSONR_REQUIRED, &number), 0);
    assert_true(number == -1.5);
    assert_int_equal(jsonr_text(&in, "t", JSONR_REQUIRED, &text), 0);
    assert_string_equal(text, "x");
    assert_int_equal(jsonr_value(&in, "b", JSONR_REQUIRED, &value), 0);
    assert_true(value.type == VALUE_BOOL && value.boolean);
    assert_int_equal(jsonr_object(&in, "o", JSONR_REQUIRED, &object), 0);
    assert_non_null(object);
    jsonr_free(in.object);
}

static void test_absent_and_null_members(void **state)
{
    (void)state;
    char error[128] = "";
    struct jsonr in = open_object("{\"null\":null}", error, sizeof error);
    int64_t integer = 7;

    assert_int_equal(jsonr_integer(&in, "null", JSONR_OPTIONAL, &integer), 0);
    assert_int_equal(jsonr_integer(&in, "absent", JSONR_OPTIONAL, &integer), 0);
    assert_int_equal(integer, 7);
    assert_int_equal(jsonr_integer(&in, "absent", JSONR_REQUIRED, &integer), -EBADMSG);
    assert_string_equal(error, "at.absent: missing");
    assert_int_equal(jsonr_integer(&in, "null", JSONR_REQUIRED, &integer), -EBADMSG);
    assert_string_equal(error, "at.null: missing");
    assert_int_equal(jsonr_fail(&in, NULL, "no good"), -EBADMSG);
    assert_string_equal(error, "at: no good");
    jsonr_free(in.object);
}

static void test_members_of_another_type(void **state)
{
    (void)state;
    static const char *const integers[] = {"-1",    "0.5", "9007199254740992",    "1e400", "true",
                                           "\"1\"", "[]",  "99999999999999999999"};
    static const char *const scalars[] = {
        "[]", "{}", "1e400", "-1e400", "18446744073709551616", "-9223372036854775809"};
    char error[128] = "", text[64];
    int64_t integer;
    struct value value;

    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        snprintf(text, sizeof text, "{\"a\":%s}", integers[i]);
        struct jsonr in = open_object(text, error, sizeof error);
        assert_int_equal(jsonr_integer(&in, "a", JSONR_OPTIONAL, &integer), -EBADMSG);
        assert_string_equal(error, "at.a: a whole number from 0 to 2^53-1 is expected");
        jsonr_free(in.object);
    }
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        snprintf(text, sizeof text, "{\"a\":%s}", scalars[i]);
        struct jsonr in = open_object(text, error, sizeof error);
        assert_int_equal(jsonr_value(&in, "a", JSONR_OPTIONAL, &value), -EBADMSG);
        jsonr_free(in.object);
    }
}

static void test_whole_numbers_beyond_int64(void **state)
{
    (void)state;
    char error[128] = "";
    struct jsonr in =
        open_object("{\"u\":18446744073709551000,\"s\":-9223372036854775000}", error, sizeof error);
    double number = 0;

    assert_int_equal(jsonr_number(&in, "u", JSONR_REQUIRED, &number), 0);
    assert_true(number == 18446744073709551000.0);
    assert_int_equal(jsonr_number(&in, "s", JSONR_REQUIRED, &number), 0);
    assert_true(number == -9223372036854775000.0);
    jsonr_free(in.object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_examples_of_every_payload),
        cmocka_unit_test(test_says_what_and_where),
        cmocka_unit_test(test_scalars_alone_are_documents),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_absent_and_null_members),
        cmocka_unit_test(test_members_of_another_type),
        cmocka_unit_test(test_whole_numbers_beyond_int64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
