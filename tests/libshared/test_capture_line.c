/* Plain lines of a capture: a table, each line whole and cut at every byte, in memory that ends
 * with it. */
#include "capture_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *line;
    int64_t time_ms;
    const char *topic, *payload; /* NULL: not plain */
    bool retained;
} cases[] = {
    {"{\"t\":17,\"topic\":\"a/b\",\"payload\":{\"x\":1}}", 17, "a/b", "{\"x\":1}", false},
    {"{\"t\":17,\"topic\":\"a/b\",\"payload\":{\"x\":1}}\n", 17, "a/b", "{\"x\":1}", false},
    {"{\"t\":17,\"topic\":\"a\",\"payload\":[],\"retained\":true}", 17, "a", "[]", true},
    {"{\"t\":17,\"topic\":\"a\",\"payload\":1,\"retained\":false}\n", 17, "a", "1", false},
    {"{\"t\":0,\"topic\":\"\",\"payload\":\"\"}", 0, "", "\"\"", false},
    {"{\"t\":123456789012345,\"topic\":\"a\",\"payload\":}", 123456789012345, "a", "", false},
    /* left to who knows JSON */
    {"{\"t\":1234567890123456,\"topic\":\"a\",\"payload\":1}", 0, NULL, NULL, false},
    {"{\"t\":017,\"topic\":\"a\",\"payload\":1}", 0, NULL, NULL, false},
    {"{\"t\":-1,\"topic\":\"a\",\"payload\":1}", 0, NULL, NULL, false},
    {"{\"t\": 17,\"topic\":\"a\",\"payload\":1}", 0, NULL, NULL, false},
    {"{\"topic\":\"a\",\"t\":17,\"payload\":1}", 0, NULL, NULL, false},
    {"{\"t\":17,\"topic\":\"a\\u0062\",\"payload\":1}", 0, NULL, NULL, false},
    {"{\"t\":17,\"topic\":\"a\",\"payload\":1} ", 0, NULL, NULL, false},
    {"", 0, NULL, NULL, false},
};

static bool split(struct capture_line *out, const char *line, size_t size)
{
    char *exact = malloc(size + 1);
    memcpy(exact, line, size);
    exact[size] = '\0';
    bool plain = capture_line_split(out, exact, size);
    if (plain) {
        assert_in_range((uintptr_t)out->payload, (uintptr_t)exact, (uintptr_t)(exact + size));
        assert_true(out->payload + out->size <= exact + size);
        out->payload = line + (out->payload - exact);
    }
    free(exact);
    return plain;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capture_line out;
        if (split(&out, cases[i].line, strlen(cases[i].line)) != (cases[i].payload != NULL))
            fail_msg("%s", cases[i].line);
        if (!cases[i].payload)
            continue;
        assert_int_equal(out.time_ms, cases[i].time_ms);
        assert_string_equal(out.topic, cases[i].topic);
        assert_int_equal(out.size, strlen(cases[i].payload));
        assert_memory_equal(out.payload, cases[i].payload, out.size);
        assert_int_equal(out.retained, cases[i].retained);
        for (size_t size = 0; size < strlen(cases[i].line); size++)
            split(&out, cases[i].line, size);
    }
}

static void test_long_topic(void **state)
{
    (void)state;
    char line[2 * TOPIC_SIZE];
    struct capture_line out;
    for (int n = TOPIC_SIZE - 2; n <= TOPIC_SIZE; n++) {
        int size = snprintf(line, sizeof(line), "{\"t\":1,\"topic\":\"%0*d\",\"payload\":1}", n, 7);
        assert_int_equal(split(&out, line, (size_t)size), n < TOPIC_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_long_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
