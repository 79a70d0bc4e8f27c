/* Replies of boards: both formats, whole and cut at every byte; and the phrases that write. */
#include "decode.h"
#include "phrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 3

static const char *const pair_fields[N] = {"TEMP", "HUM", "FAN"};
static const char *const json_fields[N] = {"temp", "hum", "fan"};

struct sample {
    decode_fn *decode;
    const char *line;
    size_t found;
    struct value raw[N];
};

#define NUMBER(n)                         \
    {                                     \
        .type = VALUE_NUMBER, .number = n \
    }
#define TEXT(t)                       \
    {                                 \
        .type = VALUE_TEXT, .text = t \
    }
#define BOOL(b)                          \
    {                                    \
        .type = VALUE_BOOL, .boolean = b \
    }
#define NONE               \
    {                      \
        .type = VALUE_NONE \
    }

static const struct sample samples[] = {
    {decode_pairs, "TEMP:23.5,HUM:61.0", 2, {TEXT("23.5"), TEXT("61.0"), NONE}},
    {decode_pairs,
     "TEMP:23.5,HUM:68.0,SOIL:41.2,LIGHT:812,FAN:0,IRRIGATION:0,LED:0",
     3,
     {TEXT("23.5"), TEXT("68.0"), TEXT("0")}},
    {decode_pairs, " HUM : 61.0 ,\tTEMP:-1", 2, {TEXT("-1"), TEXT("61.0"), NONE}},
    {decode_pairs, "TEMP:1,TEMP:2", 1, {TEXT("2"), NONE, NONE}},
    {decode_pairs, "TEMP:,HUM", 1, {TEXT(""), NONE, NONE}},
    {decode_pairs, "FAN:a:b,,:,", 1, {NONE, NONE, TEXT("a:b")}},
    {decode_pairs, "temp:23.5", 0, {NONE, NONE, NONE}},
    {decode_pairs, "OK", 0, {NONE, NONE, NONE}},
    {decode_pairs, "", 0, {NONE, NONE, NONE}},
    {decode_json,
     "{\"temp\":23.5,\"hum\":61,\"fan\":false}",
     3,
     {NUMBER(23.5), NUMBER(61), BOOL(false)}},
    {decode_json, "{\"temp\":null,\"fan\":\"on\"}", 2, {NONE, NONE, TEXT("on")}},
    {decode_json, "{\"temp\":\"\\u00e9\",\"fan\":\"\"}", 2, {TEXT("é"), NONE, TEXT("")}},
    {decode_json, "{\"temp\":{\"a\":1}}", 1, {NONE, NONE, NONE}},
    {decode_json, "{\"other\":1}", 0, {NONE, NONE, NONE}},
    {decode_json, "{\"temp\":NaN}", 0, {NONE, NONE, NONE}},
    {decode_json, "[23.5]", 0, {NONE, NONE, NONE}},
    {decode_json, "null", 0, {NONE, NONE, NONE}},
    {decode_json, "{\"temp\":23.5", 0, {NONE, NONE, NONE}},
    {decode_json, "OK", 0, {NONE, NONE, NONE}},
};

static const char *const *fields_of(const struct sample *sample)
{
    return sample->decode == decode_json ? json_fields : pair_fields;
}

static void reads_what_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct value raw[N];
        char *scratch = malloc(strlen(samples[i].line) + 1);

        assert_int_equal(
            samples[i].decode(samples[i].line, fields_of(&samples[i]), N, raw, scratch),
            samples[i].found);
        for (size_t f = 0; f < N; f++)
            if (!value_equal(&raw[f], &samples[i].raw[f]))
                fail_msg("%s: %s is not as expected", samples[i].line, fields_of(&samples[i])[f]);
        free(scratch);
    }
}

/* Every beginning of every line, in memory of exactly its size: a sanitizer sees one byte too many.
 */
static void a_line_cut_anywhere_is_read_within_its_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        for (size_t length = 0; length <= strlen(samples[i].line); length++) {
            struct value raw[N];
            char *line = strndup(samples[i].line, length);
            char *scratch = malloc(length + 1);
            size_t found = samples[i].decode(line, fields_of(&samples[i]), N, raw, scratch);

            assert_true(found <= N);
            for (size_t f = 0; f < N; f++)
                assert_true(raw[f].type != VALUE_TEXT ||
                            (raw[f].text >= scratch && raw[f].text <= scratch + length));
            free(scratch);
            free(line);
        }
}

static void a_field_that_two_points_share_is_read_twice_within_bounds(void **state)
{
    static const char *const fields[] = {"a", "a", "a"};
    const char *line = "{\"a\":\"0123456789\"}";
    struct value raw[N];
    char *scratch = malloc(strlen(line) + 1);

    (void)state;
    assert_int_equal(decode_json(line, fields, N, raw, scratch), N);
    assert_string_equal(raw[0].text, "0123456789");
    assert_int_equal(raw[2].type, VALUE_NONE);
    free(scratch);
}

static void phrases_say_values(void **state)
{
    static const struct {
        const char *phrase;
        struct value value;
        const char *line; /* NULL: -EINVAL */
    } cases[] = {
        {"LED,13,{ON|OFF}", BOOL(true), "LED,13,ON"},
        {"LED,13,{ON|OFF}", BOOL(false), "LED,13,OFF"},
        {"{|off}x", BOOL(true), "x"},
        {"SET {value}%", NUMBER(21.5), "SET 21.5%"},
        {"SET {value}", BOOL(true), "SET 1"},
        {"SAY {value}{value}", TEXT("ab"), "SAY abab"},
        {"LED,{ON|OFF}", NUMBER(1), NULL},
        {"LED,{what}", BOOL(true), NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct phrase phrase;
        char line[PHRASE_SIZE];

        strcpy(phrase.text, cases[i].phrase);
        if (!cases[i].line) {
            assert_true(phrase_render(&phrase, &cases[i].value, line) < 0);
            continue;
        }
        assert_int_equal(phrase_render(&phrase, &cases[i].value, line), 0);
        assert_string_equal(line, cases[i].line);
    }
}

static void a_phrase_too_long_is_refused(void **state)
{
    struct phrase phrase = {.text = "{value}{value}"};
    struct value value = value_text("");
    char text[PHRASE_SIZE / 2 + 1];
    char line[PHRASE_SIZE];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    value.text = text;
    assert_true(phrase_render(&phrase, &value, line) < 0);
    text[sizeof text - 2] = '\0';
    assert_int_equal(phrase_render(&phrase, &value, line), 0);
    assert_int_equal(strlen(line), PHRASE_SIZE - 2);
}

/* Configures the phrase "write" of an actuator; whether that is without a problem. */
static bool configures(const char *text, enum actuator_type type, struct phrase *phrase)
{
    struct config *config;
    bool good;

    assert_int_equal(config_open_text(&config, "test", text), 0);
    phrase_configure(phrase, config_root(config), "write", type);
    good = config_check(config);
    config_close(config);
    return good;
}

static void keys_are_filled_in_from_beside(void **state)
{
    struct phrase phrase;

    (void)state;
    assert_true(
        configures("{\"write\":\"LED,{pin},{ON|OFF}\",\"pin\":13}", ACTUATOR_BOOL, &phrase));
    assert_string_equal(phrase.text, "LED,13,{ON|OFF}");
    assert_true(
        configures("{\"write\":\"{verb} {value}\",\"verb\":\"SET\"}", ACTUATOR_NUMBER, &phrase));
    assert_string_equal(phrase.text, "SET {value}");
    assert_false(configures("{\"write\":\"LED,{pin},{ON|OFF}\"}", ACTUATOR_BOOL, &phrase));
    assert_false(configures("{\"write\":\"LED,{pin\",\"pin\":1}", ACTUATOR_BOOL, &phrase));
    assert_false(configures("{\"write\":\"LED,{ON|OFF}\"}", ACTUATOR_NUMBER, &phrase));
    assert_false(configures("{\"write\":\"LED,ON\"}", ACTUATOR_BOOL, &phrase));
    assert_false(configures("{}", ACTUATOR_BOOL, &phrase));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_said),
        cmocka_unit_test(a_line_cut_anywhere_is_read_within_its_bounds),
        cmocka_unit_test(a_field_that_two_points_share_is_read_twice_within_bounds),
        cmocka_unit_test(phrases_say_values),
        cmocka_unit_test(a_phrase_too_long_is_refused),
        cmocka_unit_test(keys_are_filled_in_from_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
