/* The configuration: what each reader takes and refuses, with the whole text of the report; syntax
 * errors by line and column; unknown keys; what is printed. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct config *open_text(const char *text)
{
    struct config *config = NULL;
    assert_int_equal(config_open_text(&config, "test.json", text), 0);
    assert_non_null(config);
    return config;
}

/* Checks, compares the whole report, and closes. */
static void close_with_report(struct config *config, const char *expected)
{
    char *report = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&report, &size);
    bool good = config_check(config);
    config_report(config, out);
    fclose(out);
    assert_string_equal(report, expected);
    assert_int_equal(good, expected[0] == '\0');
    free(report);
    config_close(config);
}

static void assert_printed(const struct config *config, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(config_print(config, out), 0);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static const char *const levels[] = {"low", "high", NULL};

/* Asks for one of everything at the root. */
static void read_all(struct config_node *root)
{
    config_require_string(root, "text");
    config_require_name(root, "name");
    config_bool(root, "flag", true);
    config_integer(root, "count", 7, 1, 100);
    config_require_integer(root, "port", 1, 65535);
    config_number(root, "scale", 0.5);
    config_require_number(root, "target");
    config_duration(root, "period", 1500, 100, 3600000);
    config_size(root, "room", 65536, 1024, 1 << 30);
    config_choice(root, "level", levels, 1);
    config_require_choice(root, "mode", levels);
    config_value(root, "safe");
    config_secret_file(root, "token_file");
    config_url(root, "url", "mqtt://localhost:1883");
    config_object(root, "object");
    config_array(root, "array");
}

static void test_good(void **state)
{
    (void)state;
    struct config *config =
        open_text("{\"s\":\"x\",\"n\":\"pump_1\",\"b\":false,\"i\":-3,\"d\":0.25,\"t\":\"2m\","
                  "\"z\":\"64KiB\","
                  "\"c\":\"low\",\"v1\":true,\"v2\":1.5,\"v3\":\"on\",\"nothing\":null}");
    struct config_node *root = config_root(config);
    assert_string_equal(config_string(root, "s", "y"), "x");
    assert_string_equal(config_require_name(root, "n"), "pump_1");
    assert_false(config_bool(root, "b", true));
    assert_int_equal(config_integer(root, "i", 0, -3, 3), -3);
    assert_true(config_number(root, "d", 9) == 0.25);
    assert_int_equal(config_duration(root, "t", 0, 0, 120000), 120000);
    assert_int_equal(config_size(root, "z", 0, 65536, 65536), 65536);
    assert_int_equal(config_choice(root, "c", levels, 1), 0);
    assert_true(config_value(root, "v1").boolean);
    assert_true(config_value(root, "v2").number == 1.5);
    assert_string_equal(config_value(root, "v3").text, "on");
    assert_int_equal(config_value(root, "v4").type, VALUE_NONE);
    assert_string_equal(config_string(root, "nothing", "fallback"), "fallback");
    assert_true(config_has(root, "s"));
    assert_false(config_has(root, "nothing"));
    assert_false(config_has(root, "absent"));
    close_with_report(config, "");
}

static void test_fallbacks(void **state)
{
    (void)state;
    struct config *config = open_text("{}");
    struct config_node *root = config_root(config);
    assert_string_equal(config_string(root, "s", "y"), "y");
    assert_null(config_string(root, "s2", NULL));
    assert_true(config_bool(root, "b", true));
    assert_int_equal(config_integer(root, "i", -1, 1, 9), -1); /* a fall-back may be out of range */
    assert_true(isinf(config_number(root, "d", INFINITY)));
    assert_int_equal(config_duration(root, "t", 0, 1, 9), 0);
    assert_int_equal(config_size(root, "z", 3, 4, 9), 3);
    assert_int_equal(config_choice(root, "c", levels, 1), 1);
    assert_null(config_secret_file(root, "token_file"));
    assert_string_equal(config_url(root, "url", "mqtt://h"), "mqtt://h");
    close_with_report(config, "");
}

static void test_absent(void **state)
{
    (void)state;
    struct config *config = open_text("{}");
    struct config_node *root = config_root(config);
    read_all(root);
    struct config_node *section = config_object(root, "section");
    assert_string_equal(config_require_string(section, "key"), "");
    assert_int_equal(config_length(config_array(section, "list")), 0);
    close_with_report(config, "text: is required, expected a string\n"
                              "name: is required, expected a string\n"
                              "port: is required, expected a whole number\n"
                              "target: is required, expected a number\n"
                              "mode: is required, expected one of \"low\", \"high\"\n"
                              "section.key: is required, expected a string\n");
}

static void test_wrong_types(void **state)
{
    (void)state;
    struct config *config = open_text(
        "{\"text\":5,\"name\":true,\"flag\":\"yes\",\"count\":\"7\",\"port\":1.5,\"scale\":\"x\","
        "\"target\":[],\"period\":5000,\"room\":64,\"level\":1,\"mode\":{},\"safe\":[1],"
        "\"token_file\":7,\"url\":false,\"object\":[],\"array\":\"a\"}");
    read_all(config_root(config));
    close_with_report(config,
                      "text: expected a string, got 5\n"
                      "name: expected a string, got true\n"
                      "flag: expected true or false, got \"yes\"\n"
                      "count: expected a whole number, got \"7\"\n"
                      "port: expected a whole number, got 1.5\n"
                      "scale: expected a number, got \"x\"\n"
                      "target: expected a number, got an array\n"
                      "period: expected a duration such as \"500ms\", \"5s\", \"2m\", \"1h\" or "
                      "\"7d\", got 5000\n"
                      "room: expected a size such as \"512\", \"64KiB\" or \"2GiB\", got 64\n"
                      "level: expected one of \"low\", \"high\", got 1\n"
                      "mode: expected one of \"low\", \"high\", got an object\n"
                      "safe: expected a number, a string, true or false, got an array\n"
                      "token_file: expected the name of a file, got 7\n"
                      "url: expected a string, got false\n"
                      "object: expected an object, got an array\n"
                      "array: expected an array, got \"a\"\n");
}

static void test_wrong_values(void **state)
{
    (void)state;
    struct config *config = open_text(
        "{\"text\":\"\",\"name\":\"Pump 1\",\"count\":101,\"port\":0,\"scale\":1e999,"
        "\"target\":-1e999,\"period\":\"99ms\",\"room\":\"2GiB\",\"level\":\"LOW\",\"mode\":\"\"}");
    read_all(config_root(config));
    close_with_report(config, "name: \"Pump 1\" is not a name, expected 1 to 64 of a-z 0-9 _ -\n"
                              "count: expected 1 to 100, got 101\n"
                              "port: expected 1 to 65535, got 0\n"
                              "scale: expected a number, got 1e999\n"
                              "target: expected a number, got -1e999\n"
                              "period: expected \"100ms\" to \"1h\", got \"99ms\"\n"
                              "room: expected \"1KiB\" to \"1GiB\", got \"2GiB\"\n"
                              "level: expected one of \"low\", \"high\", got \"LOW\"\n"
                              "mode: expected one of \"low\", \"high\", got \"\"\n");
}

static void test_reserved_name(void **state)
{
    (void)state;
    struct config *config = open_text("{\"name\":\"_x\"}");
    assert_string_equal(config_require_name(config_root(config), "name"), "");
    close_with_report(config,
                      "name: \"_x\" is reserved, expected a name that does not begin with _\n");
}

static void test_integer_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max, expected;
        bool good;
    } cases[] = {
        {"1", 1, 5, 1, true},
        {"5", 1, 5, 5, true},
        {"5.0", 1, 5, 5, true},
        {"5e0", 1, 5, 5, true},
        {"0", 1, 5, 42, false},
        {"6", 1, 5, 42, false},
        {"-0", 0, 5, 0, true},
        {"9007199254740992", 0, INT64_MAX, INT64_C(9007199254740992), true},
        {"9007199254740994", 0, INT64_MAX, 42, false}, /* a double would skip some */
        {"9223372036854775808", INT64_MIN, INT64_MAX, 42, false},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, 42, false},
        {"99999999999999999999999999", 0, INT64_MAX, 42, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"i\":%s}", cases[i].text);
        struct config *config = open_text(text);
        int64_t got = config_integer(config_root(config), "i", 42, cases[i].min, cases[i].max);
        assert_int_equal(got, cases[i].expected);
        assert_int_equal(config_check(config), cases[i].good);
        config_close(config);
    }
}

static void test_durations_and_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t duration, size; /* -1: refused */
    } cases[] = {
        {"250ms", 250, -1},
        {"5s", 5000, -1},
        {"2m", 120000, -1},
        {"1h", 3600000, -1},
        {"7d", 604800000, -1},
        {"0s", 0, -1},
        {"007s", 7000, -1},
        {"512", -1, 512},
        {"64KiB", -1, 65536},
        {"64MiB", -1, 67108864},
        {"2GiB", -1, INT64_C(2147483648)},
        {"0", -1, 0},
        {"", -1, -1},
        {"s", -1, -1},
        {"5 s", -1, -1},
        {" 5s", -1, -1},
        {"5s ", -1, -1},
        {"5S", -1, -1},
        {"1.5s", -1, -1},
        {"-5s", -1, -1},
        {"+5s", -1, -1},
        {"5sec", -1, -1},
        {"64kb", -1, -1},
        {"64KB", -1, -1},
        {"64K", -1, -1},
        {"9223372036854775807", -1, INT64_MAX},
        {"9223372036854775808", -1, -1},
        {"9223372036854775807ms", INT64_MAX, -1},
        {"9223372036854775807s", -1, -1},
        {"8589934592GiB", -1, -1},
        {"18446744073709552s", -1, -1}, /* would wrap round to 384 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"q\":\"%s\"}", cases[i].text);
        struct config *config = open_text(text);
        struct config_node *root = config_root(config);
        assert_int_equal(config_duration(root, "q", -1, 0, INT64_MAX), cases[i].duration);
        assert_int_equal(config_check(config), cases[i].duration >= 0);
        config_close(config);
        config = open_text(text);
        assert_int_equal(config_size(config_root(config), "q", -1, 0, INT64_MAX), cases[i].size);
        assert_int_equal(config_check(config), cases[i].size >= 0);
        config_close(config);
    }
}

static void test_syntax(void **state)
{
    (void)state;
    static const struct {
        const char *text, *report;
    } cases[] = {
        {"", "test.json:1:1: the text ends too early\n"},
        {"{", "test.json:1:2: the text ends too early\n"},
        {"{\n  \"a\": 1,\n}", "test.json:3:1: a text in double quotes is expected\n"},
        {"{\n  \"a\" 1}", "test.json:2:7: ':' is expected after a key\n"},
        {"{\"a\":1} x", "test.json:1:9: nothing may stand after the document\n"},
        {"{\"a\":1}{}", "test.json:1:8: nothing may stand after the document\n"},
        {"{\"a\":\"\xc3\xa4\", b}", "test.json:1:11: a text in double quotes is expected\n"},
        {"{\"a\":NaN}", "test.json:1:6: no JSON value begins like this\n"},
        {"{\"a\":Infinity}", "test.json:1:6: no JSON value begins like this\n"},
        {"{'a':1}", "test.json:1:2: a text in double quotes is expected\n"},
        {"{\"a\":\"\xff\"}", "test.json:1:7: not UTF-8\n"},
        {"{\"a\":\"b\nc\"}", "test.json:1:8: a control character must be escaped\n"},
        {"{\"a\":\"\\u0000\"}", "test.json:1:13: \\u0000 is not taken\n"},
        {"{\"a\":\"b", "test.json:1:6: a comment or a string that does not end\n"},
        {"{\n/* \"a\":1}", "test.json:2:1: a comment or a string that does not end\n"},
        {"{\"a\":1/2}", "test.json:1:7: ',' or '}' is expected\n"},
        {"[]", "test.json: expected one object\n"},
        {"null", "test.json: expected one object\n"},
        {"{\"a\":1,\n \"b\":{\"a\":2},\n \"a\":3}",
         "test.json:3:3: the key \"a\" stands twice in one object\n"},
        {"{\"a\":[{\"x\":1},{\"x\":1,\"y\":{},\"x\":2}]}",
         "test.json:1:30: the key \"x\" stands twice in one object\n"},
        {"{\"a\":1,\"\\u0061\":2}", "test.json: a key stands twice in one object\n"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "test.json:1:18: nested too deep\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = open_text(cases[i].text);
        read_all(config_root(config)); /* what is missing then is no news */
        config_problem(config_root(config), NULL, "not told either");
        close_with_report(config, cases[i].report);
    }
}

static void test_comments(void **state)
{
    (void)state;
    struct config *config =
        open_text("// first\n{ /* one\n two */ \"url\": \"mqtt://h/*no*/\", // c\n"
                  "\"q\\\"//\": 1 /**/ }\n// last, without an end of line");
    struct config_node *root = config_root(config);
    assert_string_equal(config_string(root, "url", ""), "mqtt://h/*no*/");
    assert_int_equal(config_integer(root, "q\"//", 0, 0, 9), 1);
    close_with_report(config, "");
    /* Positions behind a comment are still those of the file. */
    config = open_text("{ /* \xc3\xa4\n */ // x\n  \"a\": /* c */ ? }");
    close_with_report(config, "test.json:3:16: no JSON value begins like this\n");
}

static void test_unknown_keys(void **state)
{
    (void)state;
    struct config *config = open_text(
        "{\"mqtt\":{\"url\":\"mqtt://h\",\"keep_aliev\":\"5s\",\"zzz\":null},\"servce\":{\"x\":1},"
        "\"list\":[{\"nam\":\"a\"}],\"empty\":{\"x\":1},\"a key\":{}}");
    struct config_node *root = config_root(config);
    struct config_node *mqtt = config_object(root, "mqtt");
    config_string(mqtt, "url", "");
    config_duration(mqtt, "keep_alive", 1, 1, 1);
    config_object(root, "service");
    config_string(config_item(config_array(root, "list"), 0), "name", NULL);
    config_object(root, "empty");
    close_with_report(
        config,
        "mqtt.keep_aliev: unknown key, did you mean \"keep_alive\"?\n"
        "mqtt.zzz: unknown key, known here: \"url\", \"keep_alive\"\n"
        "servce: unknown key, did you mean \"service\"?\n"
        "list[0].nam: unknown key, did you mean \"name\"?\n"
        "empty.x: unknown key, none is known here\n"
        "[\"a key\"]: unknown key, known here: \"mqtt\", \"service\", \"list\", \"empty\"\n");
}

static void test_did_you_mean(void **state)
{
    (void)state;
    static const struct {
        const char *key, *known, *report;
    } cases[] = {
        {"ports", "port", "ports: unknown key, did you mean \"port\"?\n"},
        {"por", "port", "por: unknown key, did you mean \"port\"?\n"},
        {"pork", "port", "pork: unknown key, did you mean \"port\"?\n"},
        {"prot", "port", "prot: unknown key, did you mean \"port\"?\n"}, /* one slip, not two */
        {"host", "port", "host: unknown key, known here: \"port\"\n"},
        {"periode_mz", "period_ms", "periode_mz: unknown key, did you mean \"period_ms\"?\n"},
        {"a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "a: unknown key, known here: "
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n"},
        {"", "a", "[\"\"]: unknown key, did you mean \"a\"?\n"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: unknown key, known "
         "here: \"a\"\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"%s\":1}", cases[i].key);
        struct config *config = open_text(text);
        config_integer(config_root(config), cases[i].known, 0, 0, 9);
        close_with_report(config, cases[i].report);
    }
}

static void test_arrays(void **state)
{
    (void)state;
    struct config *config = open_text("{\"points\":[{\"name\":\"a\"},5,{\"name\":\"c\"}],"
                                      "\"not\":[65535,\"x\",-1],\"names\":[\"a\",null]}");
    struct config_node *root = config_root(config);
    struct config_node *points = config_array(root, "points");
    assert_int_equal(config_length(points), 3);
    assert_string_equal(config_path(config_item(points, 2)), "points[2]");
    assert_string_equal(config_require_name(config_item(points, 0), "name"), "a");
    assert_string_equal(config_require_name(config_item(points, 1), "name"), "");
    assert_string_equal(config_require_name(config_item(points, 2), "name"), "c");
    config_problem(config_item(points, 2), "name", "is %d too many", 1);
    config_problem(config_item(points, 2), NULL, "is no point");
    config_problem(root, NULL, "has no device");
    struct config_node *numbers = config_array(root, "not");
    assert_true(config_number_at(numbers, 0) == 65535);
    config_number_at(numbers, 1);
    assert_true(config_number_at(numbers, 2) == -1);
    struct config_node *names = config_array(root, "names");
    assert_string_equal(config_string_at(names, 0), "a");
    assert_string_equal(config_string_at(names, 1), "");
    close_with_report(config, "points[1]: expected an object, got 5\n"
                              "points[2].name: is 1 too many\n"
                              "points[2]: is no point\n"
                              "test.json: has no device\n"
                              "not[1]: expected a number, got \"x\"\n"
                              "names[1]: is required, expected a string\n");
}

static void test_map(void **state)
{
    (void)state;
    struct config *config =
        open_text("{\"fields\":{\"temp\":\"temperature\",\"hum\":\"humidity\"}}");
    struct config_node *fields = config_object(config_root(config), "fields");
    assert_int_equal(config_length(fields), 2);
    assert_string_equal(config_key(fields, 0), "temp");
    assert_string_equal(config_key(fields, 1), "hum");
    assert_null(config_key(fields, 2));
    for (size_t i = 0; i < config_length(fields); i++)
        config_require_string(fields, config_key(fields, i));
    close_with_report(config, "");
}

/* The same section read from two places is one, and what one of them knows, both know. */
static void test_section_twice(void **state)
{
    (void)state;
    struct config *config = open_text("{\"a\":{\"x\":1,\"y\":2}}");
    struct config_node *root = config_root(config);
    struct config_node *first = config_object(root, "a");
    assert_ptr_equal(first, config_object(root, "a"));
    config_integer(first, "x", 0, 0, 9);
    config_integer(config_object(root, "a"), "y", 0, 0, 9);
    close_with_report(config, "");
}

/* A caller that asks for the wrong kind gets nothing, and nothing breaks. */
static void test_misuse(void **state)
{
    (void)state;
    struct config *config = open_text("{\"o\":{\"k\":1},\"a\":[1]}");
    struct config_node *root = config_root(config);
    struct config_node *object = config_object(root, "o");
    struct config_node *array = config_array(root, "a");
    config_integer(object, "k", 0, 0, 9);
    assert_null(config_item(object, 0));
    assert_null(config_object(array, "k"));
    assert_int_equal(config_integer(array, "k", 3, 0, 9), 3);
    assert_string_equal(config_string(root, "o", "x"), "x"); /* the node stays usable */
    assert_int_equal(config_integer(object, "k", 0, 0, 9), 1);
    assert_null(config_object(NULL, "x"));
    assert_int_equal(config_integer(NULL, "x", 3, 0, 9), 3);
    assert_int_equal(config_length(NULL), 0);
    assert_string_equal(config_path(NULL), "");
    assert_false(config_has(NULL, "x"));
    config_problem(NULL, "x", "nobody hears");
    close_with_report(config, "o: expected a string, got an object\n");
}

static void test_print(void **state)
{
    (void)state;
    char path[] = "/tmp/fieldline-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "s3cret\r\nsecond line\n", 20), 20);
    close(fd);
    char text[256];
    snprintf(text, sizeof text,
             "{\"mqtt\":{\"url\":\"mqtt://me:s3cret@h:1883/x@y\",\"password_file\":\"%s\"},"
             "\"list\":[{\"n\":0.1}],\"wrong\":\"x\"}",
             path);
    struct config *config = open_text(text);
    struct config_node *root = config_root(config);
    struct config_node *mqtt = config_object(root, "mqtt");
    assert_string_equal(config_url(mqtt, "url", ""), "mqtt://me:s3cret@h:1883/x@y");
    assert_string_equal(config_secret_file(mqtt, "password_file"), "s3cret");
    config_duration(mqtt, "keep_alive", 90000, 1, 100000);
    config_size(mqtt, "outbox", 3 << 20, 1, 1 << 30);
    config_string(mqtt, "ca_file", NULL);
    config_number(config_item(config_array(root, "list"), 0), "n", 1);
    config_choice(root, "level", levels, 1);
    config_integer(root, "wrong", 5, 0, 9); /* the fall-back is in effect */
    config_number(root, "max", INFINITY);
    assert_printed(config, "{\n"
                           "  \"mqtt\": {\n"
                           "    \"url\": \"mqtt://***@h:1883/x@y\",\n"
                           "    \"password_file\": \"***\",\n"
                           "    \"keep_alive\": \"90s\",\n"
                           "    \"outbox\": \"3MiB\",\n"
                           "    \"ca_file\": null\n"
                           "  },\n"
                           "  \"list\": [\n"
                           "    {\n"
                           "      \"n\": 0.1\n"
                           "    }\n"
                           "  ],\n"
                           "  \"level\": \"high\",\n"
                           "  \"wrong\": 5,\n"
                           "  \"max\": null\n"
                           "}\n");
    close_with_report(config, "wrong: expected a whole number, got \"x\"\n");
    unlink(path);
}

static void test_url_masks(void **state)
{
    (void)state;
    static const struct {
        const char *url, *printed;
    } cases[] = {
        {"mqtt://h", "mqtt://h"},
        {"mqtt://me@h", "mqtt://***@h"},
        {"mqtt://me:p@ss@h", "mqtt://***@h"},
        {"me:pw@h:1883", "***@h:1883"},
        {"http://h/a@b", "http://h/a@b"},
        {"http://h?u=a@b", "http://h?u=a@b"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        char printed[128];
        snprintf(text, sizeof text, "{\"u\":\"%s\"}", cases[i].url);
        snprintf(printed, sizeof printed, "{\n  \"u\": \"%s\"\n}\n", cases[i].printed);
        struct config *config = open_text(text);
        assert_string_equal(config_url(config_root(config), "u", ""), cases[i].url);
        assert_printed(config, printed);
        config_close(config);
    }
}

static void test_secret_files(void **state)
{
    (void)state;
    char path[] = "/tmp/fieldline-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "\nsecond", 7), 7);
    close(fd);
    char text[256];
    char report[512];
    snprintf(text, sizeof text, "{\"a\":\"/nonexistent/x\",\"b\":\"%s\",\"c\":\"/tmp\"}", path);
    snprintf(report, sizeof report,
             "a: \"/nonexistent/x\" cannot be read: No such file or directory\n"
             "b: the first line of \"%s\" is empty, expected a secret\n"
             "c: \"/tmp\" cannot be read: Is a directory\n",
             path);
    struct config *config = open_text(text);
    assert_null(config_secret_file(config_root(config), "a"));
    assert_null(config_secret_file(config_root(config), "b"));
    assert_null(config_secret_file(config_root(config), "c"));
    close_with_report(config, report);
    unlink(path);
}

static void test_override(void **state)
{
    (void)state;
    struct config *config = open_text("{\"mqtt\":{\"url\":\"mqtt://file\"},\"bad\":5}");
    assert_int_equal(config_override(config, "mqtt", "url", "mqtt://environment"), 0);
    assert_int_equal(config_override(config, "mqtt", "username", "me"), 0);
    assert_int_equal(config_override(config, "new", "key", "x"), 0);
    assert_int_equal(config_override(config, "bad", "key", "x"), 0);
    struct config_node *root = config_root(config);
    struct config_node *mqtt = config_object(root, "mqtt");
    assert_string_equal(config_string(mqtt, "url", ""), "mqtt://environment");
    assert_string_equal(config_string(mqtt, "username", ""), "me");
    assert_string_equal(config_string(config_object(root, "new"), "key", ""), "x");
    config_object(root, "bad");
    close_with_report(config, "bad: expected an object, got 5\n");
    config = open_text("{");
    assert_int_equal(config_override(config, "mqtt", "url", "x"), 0);
    close_with_report(config, "test.json:1:2: the text ends too early\n");
}

/* A key that would break the line, and a report that stays one line a problem. */
static void test_report_is_lines(void **state)
{
    (void)state;
    struct config *config = open_text("{\"a\\nb\\u001b[31m\":1,\"t\":\"x\\r\\ny\"}");
    config_integer(config_root(config), "t", 0, 0, 1);
    close_with_report(config, "t: expected a whole number, got \"x??y\"\n"
                              "[\"a?b?[31m\"]: unknown key, known here: \"t\"\n");
}

static void test_files(void **state)
{
    (void)state;
    struct config *config = NULL;
    assert_int_equal(config_open(&config, "/nonexistent/x.json"), 0);
    close_with_report(config, "/nonexistent/x.json: cannot be read: No such file or directory\n");
    assert_int_equal(config_open(&config, "/tmp"), 0);
    close_with_report(config, "/tmp: cannot be read: Is a directory\n");
    assert_int_equal(config_open(&config, "/dev/zero"), 0);
    close_with_report(config, "/dev/zero: cannot be read: File too large\n");
    char path[] = "/tmp/fieldline-config-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "{\"a\"\0:1}", 8), 8);
    close(fd);
    char report[128];
    snprintf(report, sizeof report, "%s:1:5: ':' is expected after a key\n", path);
    assert_int_equal(config_open(&config, path), 0);
    close_with_report(config, report);
    unlink(path);
    config_close(NULL);
}

/* A file cut at any byte is refused or read, never more. */
static void test_every_cut(void **state)
{
    (void)state;
    static const char whole[] =
        "// c\n{\"text\":\"a\\u00e4\",/* x */\"array\":[{\"k\":-1.5e3},true,"
        "null],\"object\":{\"x\":\"\xc3\xa4\"}} // end";
    for (size_t length = 0; length < sizeof whole; length++) {
        char *text = strndup(whole, length);
        struct config *config = open_text(text);
        read_all(config_root(config));
        assert_false(config_check(config)); /* at best "port" is missing */
        config_close(config);
        free(text);
    }
}

/* The same whatever its order and space, and another one for each value, key and place. */
static void test_meaning(void **state)
{
    static const char *const without[] = {"text", NULL};
    static const char *const same[] = {
        "{\"a\":1,\"b\":[1,2,{\"c\":\"x\",\"d\":true}],\"text\":\"one\"}",
        "{ \"text\": \"two\", \"b\": [1, 2, {\"d\": true, \"c\": \"x\"}], // why\n \"a\": 1 }"};
    static const char *const others[] = {"{\"a\":2,\"b\":[1,2,{\"c\":\"x\",\"d\":true}]}",
                                         "{\"a\":1,\"b\":[2,1,{\"c\":\"x\",\"d\":true}]}",
                                         "{\"a\":1,\"b\":[1,2,{\"d\":\"x\",\"c\":true}]}",
                                         "{\"a\":1,\"b\":[1,2,{\"c\":\"x\",\"d\":false}]}",
                                         "{\"a\":1,\"b\":[1,2],\"c\":{\"c\":\"x\",\"d\":true}}",
                                         "{}"};
    uint64_t meanings[8];

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct config *config = open_text(i < 2 ? same[i] : others[i - 2]);
        meanings[i] = config_meaning(config_root(config), without);
        config_close(config);
    }
    assert_int_equal(meanings[0], meanings[1]);
    for (size_t i = 1; i < 8; i++)
        for (size_t j = i + 1; j < 8; j++)
            assert_int_not_equal(meanings[i], meanings[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_wrong_types),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_reserved_name),
        cmocka_unit_test(test_integer_bounds),
        cmocka_unit_test(test_durations_and_sizes),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_did_you_mean),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_section_twice),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_url_masks),
        cmocka_unit_test(test_secret_files),
        cmocka_unit_test(test_override),
        cmocka_unit_test(test_report_is_lines),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
