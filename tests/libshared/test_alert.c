/* alert.c: proto's examples, round trips, cut payloads, what is written. */
#include "alert.h"
#include "examples.h"

#include <errno.h>

static int write_again(void *self, const struct alert *alert)
{
    return alert_encode(alert, self);
}

static void check_refused(const char *name, const char *payload, size_t size)
{
    struct buffer out = {0};
    char error[256] = "";
    int result = alert_decode(payload, size, write_again, &out, error, sizeof error);

    if (result != -EBADMSG || error[0] == '\0' || out.size != 0)
        fail_msg("%s, %zu bytes of it: result %d, error \"%s\"", name, size, result, error);
    buffer_free(&out);
}

static void check_taken(const char *name, const char *payload, size_t size)
{
    struct buffer first = {0}, second = {0};
    char error[256] = "";

    if (alert_decode(payload, size, write_again, &first, error, sizeof error) != 0)
        fail_msg("%s: %s", name, error);
    if (alert_decode(first.data, first.size, write_again, &second, error, sizeof error) != 0)
        fail_msg("%s: %s in %s", name, error, first.data);
    assert_string_equal(buffer_string(&first), buffer_string(&second));
    buffer_free(&first);
    buffer_free(&second);
    example_cut(name, payload, size, check_refused);
}

static void test_valid_examples_are_read_and_written_alike(void **state)
{
    (void)state;
    examples_run("alert", "valid", check_taken);
}

static void test_invalid_examples_are_refused(void **state)
{
    (void)state;
    examples_run("alert", "invalid", check_refused);
}

static struct alert contract_alert(const struct reading *cause)
{
    return (struct alert){.state = ALERT_FIRING,
                          .severity = ALERT_WARNING,
                          .since_ms = 1763805600123,
                          .value = value_number(0.81),
                          .message = "efficiency 81.00 %",
                          .rule = "low_efficiency",
                          .episode = 7,
                          .cause_measurement = "equipment_status",
                          .cause = cause};
}

static void test_written_as_the_contract_shows(void **state)
{
    (void)state;
    struct reading cause = {0};
    struct buffer out = {0};
    size_t size;
    char *expected = example_read(SOURCE_DIR "/proto/examples/alert/valid/contract.json", &size);
    struct alert alert = contract_alert(&cause);

    reading_reset(&cause, 1763805600123, 42);
    reading_add(&cause, "efficiency", value_number(0.81));
    assert_int_equal(alert_encode(&alert, &out), 0);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, expected, size);
    free(expected);
    buffer_free(&out);
    reading_free(&cause);
}

static int see(void *self, const struct alert *alert)
{
    (void)self;
    assert_int_equal(alert->state, ALERT_FIRING);
    assert_int_equal(alert->severity, ALERT_WARNING);
    assert_int_equal(alert->since_ms, 1763805600123);
    assert_true(alert->value.type == VALUE_NUMBER && alert->value.number == 0.81);
    assert_string_equal(alert->message, "efficiency 81.00 %");
    assert_string_equal(alert->rule, "low_efficiency");
    assert_int_equal(alert->episode, 7);
    assert_string_equal(alert->cause_measurement, "equipment_status");
    assert_int_equal(alert->cause->seq, 42);
    assert_true(reading_find(alert->cause, "efficiency")->number == 0.81);
    return -EAGAIN;
}

static void test_every_member_is_read_and_the_answer_passed_on(void **state)
{
    (void)state;
    size_t size;
    char *payload = example_read(SOURCE_DIR "/proto/examples/alert/valid/contract.json", &size);
    char error[256];

    assert_int_equal(alert_decode(payload, size, see, NULL, error, sizeof error), -EAGAIN);
    free(payload);
}

static int see_no_cause(void *self, const struct alert *alert)
{
    (void)self;
    assert_int_equal(alert->state, ALERT_STALE);
    assert_int_equal(alert->value.type, VALUE_NONE);
    assert_null(alert->cause);
    assert_null(alert->cause_measurement);
    return 0;
}

static void test_without_cause_and_value(void **state)
{
    (void)state;
    struct alert alert = contract_alert(NULL);
    struct buffer out = {0};
    char error[256];

    alert.state = ALERT_STALE;
    alert.value.type = VALUE_NONE;
    assert_int_equal(alert_encode(&alert, &out), 0);
    assert_int_equal(alert_decode(out.data, out.size, see_no_cause, NULL, error, sizeof error), 0);
    buffer_free(&out);
}

static void test_severity_by_name(void **state)
{
    (void)state;
    enum alert_severity severity = ALERT_INFO;

    assert_int_equal(alert_severity_parse(&severity, "critical"), 0);
    assert_int_equal(severity, ALERT_CRITICAL);
    assert_int_equal(alert_severity_parse(&severity, "Critical"), -EINVAL);
    assert_int_equal(alert_severity_parse(&severity, ""), -EINVAL);
    assert_string_equal(alert_severity_name(ALERT_INFO), "info");
    assert_string_equal(alert_state_name(ALERT_RESOLVED), "resolved");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_examples_are_read_and_written_alike),
        cmocka_unit_test(test_invalid_examples_are_refused),
        cmocka_unit_test(test_written_as_the_contract_shows),
        cmocka_unit_test(test_every_member_is_read_and_the_answer_passed_on),
        cmocka_unit_test(test_without_cause_and_value),
        cmocka_unit_test(test_severity_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
