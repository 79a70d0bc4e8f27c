/* Questions for statistics: what is taken, what it becomes in InfluxQL, and what the answer
 * becomes. */
#include "influxql.h"
#include "stats_answer.h"
#include "stats_query.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1763805600000)
#define HOUR_MS INT64_C(3600000)

static const struct stats_limits limits = {.range_ms = 8784 * HOUR_MS, .rows = 1000};
static char error[256];

static int decode(struct stats_request *out, const char *payload)
{
    return stats_request_decode(out, payload, strlen(payload), &limits, error, sizeof(error));
}

static void check_query(const char *payload, const char *expected)
{
    struct stats_request request;
    struct buffer query = {0};

    if (decode(&request, payload) != 0)
        fail_msg("%s: %s", payload, error);
    assert_int_equal(stats_query_build(&request, NOW_MS, &query), 0);
    assert_string_equal(buffer_string(&query), expected);
    buffer_free(&query);
}

static void test_query(void **state)
{
    (void)state;
    check_query(
        "{\"location\":\"facility_a\",\"device\":\"greenhouse_001\",\"measurement\":\"sensors\","
        "\"hours\":24,\"every\":\"1h\",\"function\":\"mean\"}",
        "SELECT mean(*) FROM \"sensors\" WHERE \"location\" = 'facility_a' AND "
        "\"device_id\" = 'greenhouse_001' AND time > 1763719200000ms AND "
        "time <= 1763805600000ms GROUP BY time(3600000ms) fill(none)");
    check_query("{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\",\"hours\":0.5,"
                "\"every\":\"15m\",\"function\":\"max\"}",
                "SELECT max(*) FROM \"c\" WHERE \"location\" = 'a' AND \"device_id\" = 'b' AND "
                "time > 1763803800000ms AND time <= 1763805600000ms GROUP BY time(900000ms) "
                "fill(none)");
    check_query("{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\",\"hours\":1,"
                "\"every\":null,\"function\":null}",
                "SELECT mean(*) FROM \"c\" WHERE \"location\" = 'a' AND \"device_id\" = 'b' AND "
                "time > 1763802000000ms AND time <= 1763805600000ms GROUP BY time(3600000ms) "
                "fill(none)");
}

static void check_refused(const char *payload, int code, const char *words)
{
    struct stats_request request;

    error[0] = '\0';
    if (decode(&request, payload) != code || !strstr(error, words))
        fail_msg("%s: '%s' is not in '%s'", payload, words, error);
}

static void test_limits(void **state)
{
    const struct stats_limits narrow = {.range_ms = 48 * HOUR_MS, .rows = 100};
    const char *wide = "{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\",\"hours\":49}";
    struct stats_request request;

    (void)state;
    assert_int_equal(
        stats_request_decode(&request, wide, strlen(wide), &narrow, error, sizeof(error)), -E2BIG);
    assert_non_null(strstr(error, "hours: at most 48"));
    check_refused("{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\",\"hours\":24,"
                  "\"every\":\"1m\"}",
                  -E2BIG, "every: makes up to 1442 points");
    check_refused("{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\",\"hours\":8785}",
                  -EBADMSG, "hours");
    check_refused("{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\",\"hours\":0}",
                  -EBADMSG, "hours");
    check_refused("[]", -EBADMSG, "object");
    check_refused("{\"location\":\"a\",\"device\":\"b\",\"hours\":1}", -EBADMSG, "measurement");
}

static const char *const hostile[] = {
    "sensors\\\" WHERE 1=1; DROP DATABASE fieldline; --",
    "x' OR 'a'='a",
    "x\\\\",
    "x\\\\' OR 1=1 --",
    "x; DROP MEASUREMENT \\\"sensors\\\"",
    "/.*/",
    "*",
    "a\\nb",
    "a\\u0000b",
    "a\\u0027b",
    "\\u2019",
    "Sensors",
    "a b",
    "",
    "x/**/",
    "..",
    "\\\"autogen\\\".\\\"health",
    "$1",
    "a%27b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

static void test_hostile_names_are_refused(void **state)
{
    static const char *const keys[] = {"location", "device", "measurement", "every", "function"};
    struct stats_request request;

    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
        for (size_t key = 0; key < 5; key++) {
            char payload[512];
            int length = snprintf(payload, sizeof(payload), "{\"hours\":1");

            for (size_t k = 0; k < 5; k++)
                if (k == key || k < 3)
                    length += snprintf(payload + length, sizeof(payload) - (size_t)length,
                                       ",\"%s\":\"%s\"", keys[k], k == key ? hostile[i] : "a");
            snprintf(payload + length, sizeof(payload) - (size_t)length, "}");
            if (decode(&request, payload) != -EBADMSG)
                fail_msg("taken: %s", payload);
        }
    assert_int_equal(decode(&request, "{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\","
                                      "\"hours\":1,\"every\":\"1h) FROM x\"}"),
                     -EBADMSG);
}

/* Where a quoted token ends, by the specification's grammar; 0 where it does not. */
static size_t token_end(const char *text)
{
    char quote = text[0];

    for (size_t i = 1; text[i]; i++) {
        if (text[i] == '\n')
            return 0;
        if (text[i] == '\\') {
            if (!text[++i])
                return 0;
        } else if (text[i] == quote) {
            return i + 1;
        }
    }
    return 0;
}

/* Any bytes stay one token: the fence behind the names' own rule. */
static void test_any_text_is_one_token(void **state)
{
    static const char alphabet[] = "\"'\\\n ;-a*/)\t\xc2\xb0";
    struct buffer out = {0};
    uint32_t random = 1;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[12];
        size_t length = (random >> 8) % 11;

        for (size_t c = 0; c < length; c++) {
            random = random * 1664525 + 1013904223;
            text[c] = alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
        }
        text[length] = '\0';
        random = random * 1664525 + 1013904223;
        buffer_clear(&out);
        if (i % 2)
            influxql_identifier(&out, text);
        else
            influxql_string(&out, text);
        assert_int_equal(out.data[0], i % 2 ? '"' : '\'');
        if (token_end(out.data) != out.size)
            fail_msg("%s", out.data);
    }
    buffer_free(&out);
}

static int convert(const char *body, enum stats_function function, struct buffer *out)
{
    struct buffer in = {0};
    int result;

    buffer_text(&in, body);
    buffer_clear(out);
    result = stats_answer_convert(&in, function, out, error, sizeof(error));
    buffer_free(&in);
    if (result)
        assert_int_equal(out->size, 0);
    return result;
}

static void test_answer(void **state)
{
    struct buffer out = {0};

    (void)state;
    assert_int_equal(
        convert(
            "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"sensors\",\"columns\":["
            "\"time\",\"mean_temperature\",\"mean_mean_x\",\"mean_empty\",\"other\"],\"values\":["
            "[1000,23.5,null,null,1],[2000,null,7,null,1],[3000,1e-7,8.25,null,1]]}]}]}\n",
            STATS_MEAN, &out),
        0);
    assert_string_equal(buffer_string(&out),
                        "{\"result\":\"ok\",\"series\":{\"temperature\":[[1000,23.5],[3000,1e-7]],"
                        "\"mean_x\":[[2000,7],[3000,8.25]]}}");
    assert_int_equal(convert("{\"results\":[{\"statement_id\":0}]}", STATS_MEAN, &out), 0);
    assert_string_equal(buffer_string(&out), "{\"result\":\"ok\",\"series\":{}}");
    assert_int_equal(
        convert("{\"results\":[{\"statement_id\":0,\"error\":\"database not found: x\"}]}",
                STATS_MEAN, &out),
        -EREMOTEIO);
    assert_string_equal(error, "database not found: x");
    assert_int_equal(convert("{\"error\":\"unable to parse\"}", STATS_MEAN, &out), -EREMOTEIO);
    buffer_free(&out);
}

static void test_answers_that_are_none(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"results\":[]}",
        "{\"results\":[null]}",
        "{\"results\":null}",
        "{\"results\":[{\"series\":[]}]}",
        "{\"results\":[{\"series\":[{}]}]}",
        "{\"results\":[{\"series\":[{\"columns\":[null],\"values\":[]}]}]}",
        "{\"results\":[{\"series\":[{\"columns\":[\"x\"],\"values\":[]}]}]}",
        "{\"results\":[{\"series\":[{\"columns\":[\"time\",\"mean_a\"],\"values\":[[\"1\",2]]}]}]}",
        "{\"results\":[{\"series\":[{\"columns\":[\"time\",\"mean_a\"],\"values\":[null]}]}]}",
        "{\"results\":[{\"series\":[{\"columns\":[\"time\",\"mean_a\"],\"values\":[[-1,2]]}]}]}",
        "{\"results\":[{\"series\":[{\"columns\":[\"time\",\"mean_a\"],\"values\":[[1,2]]},{}]}]}",
        ("{\"results\":[{\"series\":[{\"columns\":[\"time\",\"mean_a\"],\"values\":[[1,2]]}],"
         "\"partial\":true}]}"),
        "{\"results\":[{\"series\":[{\"partial\":true,\"columns\":[\"time\"],\"values\":[]}]}]}",
        "{\"results\":[{\"error\":null}]}",
        "<html>"};
    struct buffer out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        error[0] = '\0';
        if (convert(bodies[i], STATS_MEAN, &out) == 0 || !error[0])
            fail_msg("%s: %s", bodies[i], buffer_string(&out));
    }
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_hostile_names_are_refused),
        cmocka_unit_test(test_any_text_is_one_token),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_answers_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
