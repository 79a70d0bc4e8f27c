#include "capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    struct buffer text;
    int answer; /* what on_message returns */
};

static int on_message(void *self, const struct capture_message *message, char *error, size_t size)
{
    struct seen *seen = self;

    buffer_format(&seen->text, "%d %s ", (int)message->time_ms,
                  message->topic ? message->topic : "-");
    buffer_append(&seen->text, message->payload, message->size);
    buffer_text(&seen->text, message->retained ? " retained;" : ";");
    snprintf(error, size, "of no use");
    return seen->answer;
}

static int run(const char *text, struct seen *seen, char said[512])
{
    struct capture capture = {.name = "capture"};
    int rc;

    capture.file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    capture.errors = fmemopen(said, 512, "w");
    rc = capture_run(&capture, on_message, seen);
    fclose(capture.file);
    fclose(capture.errors);
    return rc;
}

static void test_lines(void **state)
{
    struct seen seen = {0};
    char said[512] = "";

    (void)state;
    assert_int_equal(run("{\"t\":1,\"topic\":\"a\",\"payload\":{\"x\":1}}\n\n"
                         "{\"t\":1,\"topic\":\"b\",\"payload\":\"text\",\"retained\":true}\n"
                         "{\"t\":2,\"topic\":\"c\",\"hex\":\"414200ff\"}\n"
                         "{\"t\":7,\"note\":\"time passes\"}",
                         &seen, said),
                     0);
    assert_string_equal(seen.text.data, "1 a {\"x\":1};1 b text retained;2 c AB");
    assert_memory_equal(seen.text.data + 36, "\0\xff;7 - ;", 9);
    assert_string_equal(said, "");
    buffer_free(&seen.text);
}

/* A plain line is not parsed whole; what does not fit into that is, and decides. */
static void test_plain_lines_and_others(void **state)
{
    struct seen seen = {0};
    char said[512] = "";

    (void)state;
    assert_int_equal(run("{\"t\":1,\"topic\":\"a\",\"payload\":{\"x\" : 1}}\n"
                         "{\"t\":1, \"topic\":\"a\",\"payload\":{\"x\" : 1}}\n"
                         "{\"t\":2,\"topic\":\"a\",\"payload\":\"ON\"}\n"
                         "{\"t\":3,\"topic\":\"a\",\"payload\":[1],\"retained\":true}\n",
                         &seen, said),
                     0);
    assert_string_equal(buffer_string(&seen.text),
                        "1 a {\"x\" : 1};1 a {\"x\":1};2 a ON;3 a [1] retained;");
    assert_int_equal(run("{\"t\":2,\"topic\":\"a\",\"payload\":{}}\n"
                         "{\"t\":1,\"topic\":\"a\",\"payload\":{}}\n",
                         &seen, said),
                     -EBADMSG);
    assert_string_equal(said, "capture:2: t: is before the line above\n");
    buffer_clear(&seen.text);
    seen.answer = -EBADMSG; /* read whole, it is of no use either, or no line at all */
    memset(said, 0, sizeof said);
    assert_int_equal(run("{\"t\":1,\"topic\":\"a\",\"payload\":{ }}\n"
                         "{\"t\":1,\"topic\":\"a\",\"payload\":{]}\n",
                         &seen, said),
                     -EBADMSG);
    assert_string_equal(buffer_string(&seen.text), "1 a { };1 a {};1 a {];");
    assert_non_null(strstr(said, "capture:1: of no use\ncapture:2: not JSON"));
    buffer_free(&seen.text);
}

/* A payload that is of no use is told, and the replay goes on; a line that is none ends it. */
static void test_what_cannot_be_used(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"\n\nnonsense\n", "capture:3: not JSON"},
        {"[]\n", "capture:1: "},
        {"{\"topic\":\"a\",\"payload\":1}\n", "capture:1: t"},
        {"{\"t\":1,\"topic\":\"a\"}\n", "capture:1: payload: is missing"},
        {"{\"t\":1,\"topic\":\"a\",\"hex\":\"0\"}\n", "capture:1: hex: expected pairs"},
        {"{\"t\":1,\"topic\":\"a\",\"hex\":\"0g\"}\n", "capture:1: hex: expected pairs"},
        {"{\"t\":1,\"topic\":7,\"payload\":1}\n", "capture:1: topic"},
        {"{\"t\":1,\"topic\":\"a\",\"payload\":1,\"retained\":\"no\"}\n", "capture:1: retained"},
        {"{\"t\":2}\n{\"t\":1}\n", "capture:2: t: is before the line above"},
    };
    struct seen seen = {.answer = -EBADMSG};
    char said[512] = "";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(said, 0, sizeof said);
        assert_int_equal(run(cases[i].text, &seen, said), -EBADMSG);
        if (!strstr(said, cases[i].error))
            fail_msg("\"%s\" instead of \"%s\"", said, cases[i].error);
    }
    memset(said, 0, sizeof said);
    assert_int_equal(run("{\"t\":1,\"topic\":\"a\",\"payload\":1}\n{\"t\":2}\n", &seen, said), 0);
    assert_string_equal(said, "capture:1: of no use\ncapture:2: of no use\n");
    seen.answer = -ENOMEM;
    assert_int_equal(run("{\"t\":1}\n", &seen, said), -ENOMEM);
    buffer_free(&seen.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_plain_lines_and_others),
        cmocka_unit_test(test_what_cannot_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
