/* command.c and command_result.c: proto's examples, round trips, bare values, what is written. */
#include "command.h"
#include "examples.h"

#include <errno.h>

static void check_refused(const char *name, const char *payload, size_t size)
{
    struct command command;
    char error[256] = "";

    if (command_decode(&command, payload, size, error, sizeof error) != -EBADMSG ||
        error[0] == '\0')
        fail_msg("%s, %zu bytes of it: taken", name, size);
}

static void check_taken(const char *name, const char *payload, size_t size)
{
    struct command first, second;
    struct buffer out = {0};
    char error[256] = "";

    if (command_decode(&first, payload, size, error, sizeof error) != 0)
        fail_msg("%s: %s", name, error);
    assert_int_equal(command_encode(&first, &out), 0);
    if (command_decode(&second, out.data, out.size, error, sizeof error) != 0)
        fail_msg("%s: %s in %s", name, error, out.data);
    assert_true(value_equal(&first.value, &second.value));
    assert_string_equal(first.id, second.id);
    assert_string_equal(first.source, second.source);
    assert_int_equal(first.ts_ms, second.ts_ms);
    assert_int_equal(first.ttl_ms, second.ttl_ms);
    example_cut(name, out.data, out.size, check_refused);
    buffer_free(&out);
}

static void test_valid_examples_are_read_and_written_alike(void **state)
{
    (void)state;
    examples_run("command", "valid", check_taken);
}

static void test_invalid_examples_are_refused(void **state)
{
    (void)state;
    examples_run("command", "invalid", check_refused);
}

static void test_every_member_is_read_and_written(void **state)
{
    (void)state;
    struct command command;
    struct buffer out = {0};
    char error[256];
    size_t size;
    char *payload = example_read(SOURCE_DIR "/proto/examples/command/valid/contract.json", &size);

    assert_int_equal(command_decode(&command, payload, size, error, sizeof error), 0);
    assert_true(command.value.type == VALUE_BOOL && command.value.boolean);
    assert_string_equal(command.id, "a1b2");
    assert_string_equal(command.source, "operator");
    assert_int_equal(command.ttl_ms, 5000);
    assert_int_equal(command.ts_ms, 1763805600123);
    assert_int_equal(command_encode(&command, &out), 0);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, payload, size);
    free(payload);
    buffer_free(&out);
}

static void check_bare(const char *payload, struct value expected)
{
    struct command command;
    char error[256] = "";

    assert_int_equal(command_decode(&command, payload, strlen(payload), error, sizeof error), 0);
    if (!value_equal(&command.value, &expected))
        fail_msg("\"%s\" reads as something else", payload);
    assert_string_equal(command.id, "");
    assert_int_equal(command.ttl_ms, 0);
}

static void test_bare_values(void **state)
{
    (void)state;
    check_bare("true", value_bool(true));
    check_bare("false\n", value_bool(false));
    check_bare(" 21.5 ", value_number(21.5));
    check_bare("-1e3", value_number(-1000));
    check_bare("ON", value_text("ON"));
    check_bare("off", value_text("off"));
    check_bare("True", value_text("True"));
    check_bare("0x10", value_text("0x10"));
    check_bare("\"21.5\"", value_text("21.5"));
    check_bare("{\"value\":\"ON\"}", value_text("ON"));
}

static void test_copy_stands_alone(void **state)
{
    (void)state;
    struct command from, copy;
    char error[256];

    assert_int_equal(command_decode(&from, "auto", 4, error, sizeof error), 0);
    command_copy(&copy, &from);
    memset(&from, 'x', sizeof from);
    assert_string_equal(copy.value.text, "auto");
    assert_ptr_equal(copy.value.text, copy.text);
}

static int write_again(void *self, const struct command_result *result)
{
    return command_result_encode(result, self);
}

/* Faults that only the schema sees: who reads results goes on with what is there. */
static const char *const tolerated[] = {
    "id-empty.json",       "id-missing.json",     "ok-with-a-reason.json",
    "reason-missing.json", "reason-unknown.json", "rejected-without-a-reason.json",
    "took-missing.json",   "value-missing.json",
};

static bool is_tolerated(const char *name)
{
    for (size_t i = 0; i < sizeof tolerated / sizeof *tolerated; i++)
        if (strcmp(tolerated[i], name) == 0)
            return true;
    return false;
}

static void check_result_refused(const char *name, const char *payload, size_t size)
{
    struct buffer out = {0};
    char error[256] = "";
    int result = command_result_decode(payload, size, write_again, &out, error, sizeof error);

    if (result != (is_tolerated(name) ? 0 : -EBADMSG))
        fail_msg("%s, %zu bytes of it: result %d", name, size, result);
    buffer_free(&out);
}

static void check_result_taken(const char *name, const char *payload, size_t size)
{
    struct buffer out = {0};
    char error[256] = "";

    if (command_result_decode(payload, size, write_again, &out, error, sizeof error) != 0)
        fail_msg("%s: %s", name, error);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, payload, size); /* the examples stand in the writer's order */
    buffer_free(&out);
    example_cut(name, payload, size, check_result_refused);
}

static void test_results(void **state)
{
    (void)state;
    examples_run("result", "valid", check_result_taken);
    examples_run("result", "invalid", check_result_refused);
}

static void check_state(const struct command_state *state, const char *example)
{
    struct buffer out = {0};
    char path[512];
    size_t size;

    snprintf(path, sizeof path, SOURCE_DIR "/proto/examples/state/valid/%s.json", example);
    char *expected = example_read(path, &size);
    assert_int_equal(command_state_encode(state, &out), 0);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, expected, size);
    free(expected);
    buffer_free(&out);
}

static void test_states(void **state)
{
    (void)state;
    struct command_state normal = {.ts_ms = 1763805600123,
                                   .value = value_bool(true),
                                   .source = "operator",
                                   .command_id = "a1b2"};
    struct command_state failsafe = {
        .ts_ms = 1763805600123, .value = value_number(0), .command_id = "", .failsafe = true};

    check_state(&normal, "contract");
    check_state(&failsafe, "failsafe");
    normal.value.type = VALUE_NONE;
    check_state(&normal, "not-known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_examples_are_read_and_written_alike),
        cmocka_unit_test(test_invalid_examples_are_refused),
        cmocka_unit_test(test_every_member_is_read_and_written),
        cmocka_unit_test(test_bare_values),
        cmocka_unit_test(test_copy_stands_alone),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
