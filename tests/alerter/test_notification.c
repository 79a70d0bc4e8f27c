#include "notification.h"
#include "webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct topic topic = {
    .kind = TOPIC_ALERT, .location = "hall", .device = "line", .name = "hot"};

static struct notification *make(enum alert_state state, const char *message)
{
    const struct alert alert = {.state = state,
                                .severity = ALERT_CRITICAL,
                                .since_ms = 5,
                                .value = {.type = VALUE_NUMBER, .number = 7.5},
                                .message = message,
                                .rule = "hot",
                                .episode = 3};
    struct notification *notification;

    assert_int_equal(notification_open(&notification, &topic, &alert, 9), 0);
    return notification;
}

static void assert_text(enum alert_state state, const char *message, const char *expected)
{
    struct notification *notification = make(state, message);
    struct buffer text = {0};

    notification_text(notification, &text);
    assert_string_equal(buffer_string(&text), expected);
    buffer_free(&text);
    notification_close(notification);
}

static void test_text(void **state)
{
    (void)state;
    assert_text(ALERT_FIRING, "7.5 bar", "firing: critical hall/line hot: 7.5 bar");
    assert_text(ALERT_RESOLVED, "", "resolved: critical hall/line hot");
    assert_text(ALERT_STALE, "7.5 bar",
                "stale: critical hall/line hot: 7.5 bar (data is missing, not resolved)");
}

static void test_body(void **state)
{
    struct notification *notification = make(ALERT_FIRING, "\"}\n");
    struct buffer body = {0};

    (void)state;
    assert_int_equal(notification_body(notification, &body), 0);
    assert_string_equal(
        buffer_string(&body),
        "{\"id\":\"hall/line/hot/3/"
        "firing\",\"ts\":9,\"state\":\"firing\",\"severity\":\"critical\","
        "\"location\":\"hall\",\"device\":\"line\",\"rule\":\"hot\",\"message\":\"\\\"}\\n\","
        "\"episode\":3,\"since\":5,\"value\":7.5,"
        "\"text\":\"firing: critical hall/line hot: \\\"}\\n\"}");
    buffer_free(&body);
    notification_close(notification);
}

static void test_outcome(void **state)
{
    struct notification *notification = make(ALERT_RESOLVED, "m");
    struct buffer text = {0};

    (void)state;
    notification->attempts = 2;
    strcpy(notification->error, "answer 500");
    assert_int_equal(notification_outcome(notification, true, 11, &text), 0);
    assert_string_equal(
        buffer_string(&text),
        "{\"ts\":11,\"id\":\"hall/line/hot/3/resolved\",\"outcome\":\"delivered\",\"attempts\":2,"
        "\"error\":\"answer 500\",\"state\":\"resolved\",\"severity\":\"critical\","
        "\"location\":\"hall\",\"device\":\"line\",\"rule\":\"hot\",\"message\":\"m\"}");
    buffer_free(&text);
    notification_close(notification);
}

/* Cut on a whole character, and it shows. */
static void test_long_message(void **state)
{
    char message[2 * NOTIFICATION_MESSAGE_MAX];
    struct notification *notification;
    size_t length;

    (void)state;
    memset(message, 'a', sizeof message);
    memcpy(message + NOTIFICATION_MESSAGE_MAX - 1, "ü", 2);
    message[sizeof message - 1] = '\0';
    notification = make(ALERT_FIRING, message);
    length = strlen(notification->message);
    assert_int_equal(length, NOTIFICATION_MESSAGE_MAX - 1 + strlen("…"));
    assert_string_equal(notification->message + NOTIFICATION_MESSAGE_MAX - 1, "…");
    notification_close(notification);
}

static void test_longest_id_fits(void **state)
{
    struct topic longest = {.kind = TOPIC_ALERT};
    struct alert alert = {
        .state = ALERT_RESOLVED, .message = "", .rule = "", .episode = UINT64_MAX};
    struct notification *notification;

    (void)state;
    memset(longest.location, 'l', TOPIC_NAME_SIZE - 1);
    memset(longest.device, 'd', TOPIC_NAME_SIZE - 1);
    memset(longest.name, 'r', TOPIC_NAME_SIZE - 1);
    assert_int_equal(notification_open(&notification, &longest, &alert, 1), 0);
    assert_string_equal(notification->id + strlen(notification->id) - 9, "/resolved");
    notification_close(notification);
}

static enum webhook_verdict judge(int rc, int status, int64_t retry_after_ms, int64_t *waits_ms)
{
    struct http_answer answer = {.status = status, .retry_after_ms = retry_after_ms};
    struct webhook_result result;

    webhook_judge(&result, rc, &answer);
    if (waits_ms)
        *waits_ms = result.retry_after_ms;
    assert_int_equal(result.verdict == WEBHOOK_DELIVERED, *result.error == '\0');
    return result.verdict;
}

static void test_verdicts(void **state)
{
    const int again[] = {408, 425, 429, 500, 502, 503, 504};
    const int never[] = {301, 302, 400, 401, 403, 404, 413, 100};
    int64_t waits_ms;

    (void)state;
    assert_int_equal(judge(0, 200, 0, NULL), WEBHOOK_DELIVERED);
    assert_int_equal(judge(0, 204, 0, NULL), WEBHOOK_DELIVERED);
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        assert_int_equal(judge(0, again[i], 7000, &waits_ms), WEBHOOK_RETRY);
        assert_int_equal(waits_ms, 7000);
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        assert_int_equal(judge(0, never[i], 0, NULL), WEBHOOK_REFUSED);
    assert_int_equal(judge(-ETIMEDOUT, 0, 0, NULL), WEBHOOK_RETRY);
    assert_int_equal(judge(-ECONNREFUSED, 0, 0, NULL), WEBHOOK_RETRY);
    assert_int_equal(judge(-EINVAL, 0, 0, NULL), WEBHOOK_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_outcome),
        cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_longest_id_fits),
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
