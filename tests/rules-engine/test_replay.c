/* The demo's rules on captures, and control blocks, against the decisions that were found right
 * once. To write them anew after a wanted change: rules-engine --config
 * deploy/config/rules-engine.json (or replay/controls.json) --replay X.jsonl > X.expected */
#include "line_diff.h"
#include "replay.h"
#include "settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAPTURES SOURCE_DIR "/tests/rules-engine/replay/"

static struct config *config;
static void *settings;

static int open_file(const char *path)
{
    if (config_open(&config, path) < 0)
        return -1;
    return settings_configure(&settings, config_root(config));
}

static int open_demo(void **state)
{
    (void)state;
    return open_file(SOURCE_DIR "/deploy/config/rules-engine.json");
}

static int close_file(void **state)
{
    (void)state;
    settings_discard(settings);
    config_close(config);
    return 0;
}

/* The same with a space in each line, so that none is plain any more. */
static FILE *spaced(FILE *capture)
{
    FILE *out = tmpfile();
    assert_non_null(out);
    for (int c; (c = fgetc(capture)) != EOF;)
        fputs(c == ',' ? " ," : (char[]){(char)c, '\0'}, out);
    fclose(capture);
    rewind(out);
    return out;
}

static char *run_file(const char *path, bool plain)
{
    struct buffer out = {0};
    FILE *capture = fopen(path, "re");
    if (!plain)
        capture = spaced(capture);
    FILE *errors = fopen("/dev/null", "we");
    assert_non_null(capture);
    assert_int_equal(replay_run(settings,
                                &(struct capture){.file = capture, .name = path, .errors = errors},
                                &out),
                     0);
    fclose(errors);
    fclose(capture);
    return out.data;
}

static void check_capture(const char *name)
{
    char path[512];
    char expected[65536] = "";
    snprintf(path, sizeof(path), CAPTURES "%s.expected", name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(expected, 1, sizeof(expected) - 1, file) > 0);
    fclose(file);
    snprintf(path, sizeof(path), CAPTURES "%s.jsonl", name);
    char *first = run_file(path, true), *second = run_file(path, true);
    char *slow = run_file(path, false);
    assert_string_equal(first, second);
    assert_string_equal(first, slow);
    free(slow);
    if (line_diff(expected, first, stderr))
        fail_msg("%s decides otherwise", name);
    free(first);
    free(second);
}

static void test_greenhouse(void **state)
{
    (void)state;
    check_capture("greenhouse");
}

static void test_plant(void **state)
{
    (void)state;
    check_capture("plant");
}

static void test_efficiency(void **state)
{
    (void)state;
    check_capture("efficiency");
}

/* Hours, least times, a hand, a sensor that fails: each decision was checked by hand. */
static void test_controls(void **state)
{
    close_file(state);
    assert_int_equal(open_file(CAPTURES "controls.json"), 0);
    check_capture("controls");
    close_file(state);
    assert_int_equal(open_demo(state), 0);
}

static int run_text(const char *text, char said[512], struct buffer *out)
{
    FILE *capture = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    FILE *errors = fmemopen(said, 512, "w");
    int status = replay_run(
        settings, &(struct capture){.file = capture, .name = "capture", .errors = errors}, out);
    fclose(errors);
    fclose(capture);
    return status;
}

static void test_bad_captures(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"\n\nnonsense\n", "capture:3: not JSON"},
        {"[]\n", "capture:1: "},
        {"{\"topic\":\"a\",\"payload\":1}\n", "capture:1: t"},
        {"{\"t\":1,\"topic\":\"a\"}\n", "capture:1: payload: is missing"},
        {"{\"t\":1,\"topic\":\"a\",\"payload\":1,\"retained\":\"no\"}\n", "capture:1: retained"},
        {"{\"t\":2,\"topic\":\"a\",\"payload\":1}\n{\"t\":1,\"topic\":\"a\",\"payload\":1}\n",
         "capture:2: t: is before the line above"},
    };
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char said[512] = "";
        assert_int_equal(run_text(cases[i].text, said, &out), -EBADMSG);
        if (!strstr(said, cases[i].error))
            fail_msg("\"%s\" instead of \"%s\"", said, cases[i].error);
    }
    buffer_free(&out);
}

#define AT(seq, pressure) \
    "{\"ts\":" #seq ",\"seq\":" #seq ",\"values\":{\"pressure\":" #pressure "}}"

/* Three readings in one message decide what three messages decide. */
static void test_an_array_is_taken_reading_by_reading(void **state)
{
    static const char one_by_one[] =
        "{\"t\":9,\"topic\":\"iot/a/plc_001/telemetry/process\",\"payload\":" AT(
            1, 1) "}\n"
                  "{\"t\":9,\"topic\":\"iot/a/plc_001/telemetry/process\",\"payload\":" AT(
                      2,
                      9) "}\n"
                         "{\"t\":9,\"topic\":\"iot/a/plc_001/telemetry/process\",\"payload\":" AT(
                             3, 1) "}\n";
    static const char together[] = "{\"t\":9,\"topic\":\"iot/a/plc_001/telemetry/process\","
                                   "\"payload\":[" AT(1, 1) "," AT(2, 9) "," AT(3, 1) "]}\n";
    struct buffer expected = {0}, out = {0};
    char said[512] = "";

    (void)state;
    assert_int_equal(run_text(one_by_one, said, &expected), 0);
    assert_int_equal(run_text(together, said, &out), 0);
    assert_non_null(strstr(buffer_string(&expected), "firing"));
    assert_non_null(strstr(buffer_string(&expected), "resolved"));
    assert_string_equal(buffer_string(&out), buffer_string(&expected));
    buffer_free(&expected);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greenhouse),
        cmocka_unit_test(test_plant),
        cmocka_unit_test(test_efficiency),
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_bad_captures),
        cmocka_unit_test(test_an_array_is_taken_reading_by_reading),
    };
    return cmocka_run_group_tests(tests, open_demo, close_file);
}
