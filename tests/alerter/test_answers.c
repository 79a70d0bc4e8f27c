/* What a server's answer means to a notification. */
#include "carrier_http.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct carrier_result judge(int rc, int status, const char *body)
{
    struct http_answer answer = {.status = status};
    struct carrier_result result;

    buffer_text(&answer.body, body);
    carrier_http_judge(&result, rc, &answer);
    buffer_free(&answer.body);
    return result;
}

static void test_verdicts(void **state)
{
    static const struct {
        int status;
        enum carrier_verdict verdict;
    } cases[] = {{200, CARRIER_DELIVERED}, {204, CARRIER_DELIVERED}, {302, CARRIER_REFUSED},
                 {400, CARRIER_REFUSED},   {404, CARRIER_REFUSED},   {408, CARRIER_RETRY},
                 {425, CARRIER_RETRY},     {429, CARRIER_RETRY},     {500, CARRIER_RETRY},
                 {503, CARRIER_RETRY}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(judge(0, cases[i].status, "").verdict, cases[i].verdict);
    assert_int_equal(judge(-ETIMEDOUT, 0, "").verdict, CARRIER_RETRY);
    assert_int_equal(judge(-EINVAL, 0, "").verdict, CARRIER_REFUSED);
}

/* A stranger may write any number. */
static void test_patience_told_in_the_body(void **state)
{
    static const struct {
        const char *body;
        int64_t retry_after_ms;
    } cases[] = {
        {"{\"parameters\":{\"retry_after\":7}}", 7000},
        {"{\"parameters\":{\"retry_after\":0}}", 0},
        {"{\"parameters\":{\"retry_after\":-7}}", 0},
        {"{\"parameters\":{\"retry_after\":-9223372036854775807}}", 0},
        {"{\"parameters\":{\"retry_after\":9000000000}}", HTTP_RETRY_AFTER_MAX_MS},
        {"{\"parameters\":{\"retry_after\":\"7\"}}", 0},
        {"{\"parameters\":7}", 0},
        {"{\"parameters\":{}}", 0},
        {"Too Many Requests", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(judge(0, 429, cases[i].body).retry_after_ms, cases[i].retry_after_ms);
    assert_int_equal(judge(0, 503, cases[0].body).retry_after_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_patience_told_in_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
