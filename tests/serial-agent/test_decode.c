/* Replies of boards: all formats, whole and cut at every byte; and the phrases that write. */
#include "decode.h"
#include "phrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define N 3

static const char *const pair_fields[N] = {"TEMP", "HUM", "FAN"};
static const char *const json_fields[N] = {"temp", "hum", "fan"};

static const char *const csv_fields[N] = {"1", "2", "4"};

struct sample {
    enum decode_format format;
    const char *line;
    size_t found; /* 0: nothing is said of the values then */
    struct value raw[N];
    const char *prefix;
    const char *separator;
    const char *assign;
    const char *pattern;
    const char *const *fields; /* others than the format's */
};

#define WORDS "^Temp is (?<temp>[-0-9.]+) C \\(humidity (?<hum>\\d+) %\\)(?: fan=(?<fan>\\w+))?"
static const char *const json_pointers[N] = {"/air/t", "/air/a~1b", "/list/1/v"};

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
    {.format = DECODE_PAIRS, "TEMP:23.5,HUM:61.0", 2, {TEXT("23.5"), TEXT("61.0"), NONE}},
    {.format = DECODE_PAIRS,
     "TEMP:23.5,HUM:68.0,SOIL:41.2,LIGHT:812,FAN:0,IRRIGATION:0,LED:0",
     3,
     {TEXT("23.5"), TEXT("68.0"), TEXT("0")}},
    {.format = DECODE_PAIRS, " HUM : 61.0 ,\tTEMP:-1", 2, {TEXT("-1"), TEXT("61.0"), NONE}},
    {.format = DECODE_PAIRS, "TEMP:1,TEMP:2", 1, {TEXT("2"), NONE, NONE}},
    {.format = DECODE_PAIRS, "TEMP:,HUM", 1, {TEXT(""), NONE, NONE}},
    {.format = DECODE_PAIRS, "FAN:a:b,,:,", 1, {NONE, NONE, TEXT("a:b")}},
    {.format = DECODE_PAIRS, "temp:23.5", 0, {NONE, NONE, NONE}},
    {.format = DECODE_PAIRS, "OK", 0, {NONE, NONE, NONE}},
    {.format = DECODE_PAIRS, "", 0, {NONE, NONE, NONE}},
    {.format = DECODE_JSON,
     "{\"temp\":23.5,\"hum\":61,\"fan\":false}",
     3,
     {NUMBER(23.5), NUMBER(61), BOOL(false)}},
    {.format = DECODE_JSON, "{\"temp\":null,\"fan\":\"on\"}", 2, {NONE, NONE, TEXT("on")}},
    {.format = DECODE_JSON, "{\"temp\":\"\\u00e9\",\"fan\":\"\"}", 2, {TEXT("é"), NONE, TEXT("")}},
    {.format = DECODE_JSON, "{\"temp\":{\"a\":1}}", 1, {NONE, NONE, NONE}},
    {.format = DECODE_JSON, "{\"other\":1}", 0, {NONE, NONE, NONE}},
    {.format = DECODE_JSON, "{\"temp\":NaN}", 0, {NONE, NONE, NONE}},
    {.format = DECODE_JSON, "[23.5]", 0, {NONE, NONE, NONE}},
    {.format = DECODE_JSON, "null", 0, {NONE, NONE, NONE}},
    {.format = DECODE_JSON, "{\"temp\":23.5", 0, {NONE, NONE, NONE}},
    {.format = DECODE_JSON, "OK", 0, {NONE, NONE, NONE}},
    {.format = DECODE_PAIRS, "TEMP=1; HUM=2;FAN", 2, {TEXT("1"), TEXT("2"), NONE}, "", ";", "="},
    {.format = DECODE_PAIRS,
     "TEMP -> 1 || HUM -> a|b",
     2,
     {TEXT("1"), TEXT("a|b"), NONE},
     "",
     "||",
     "->"},
    {.format = DECODE_PAIRS, "TEMP 1  HUM 2", 2, {TEXT("1"), TEXT("2"), NONE}, "", "  ", " "},
    {.format = DECODE_PAIRS, "D,TEMP:1", 1, {TEXT("1"), NONE, NONE}, "D,"},
    {.format = DECODE_PAIRS, "E,TEMP:1", 0, {NONE, NONE, NONE}, "D,"},
    {.format = DECODE_JSON,
     "{\"air\":{\"t\":21.5,\"a/b\":\"x\"},\"list\":[1,{\"v\":true}]}",
     3,
     {NUMBER(21.5), TEXT("x"), BOOL(true)},
     .fields = json_pointers},
    {.format = DECODE_JSON, "{\"air\":7,\"list\":{\"1\":2}}", 0, {NONE}, .fields = json_pointers},
    {.format = DECODE_CSV, "23.5, 61 ,x,1", 3, {TEXT("23.5"), TEXT("61"), TEXT("1")}},
    {.format = DECODE_CSV, "23.5,61,x,", 3, {TEXT("23.5"), TEXT("61"), TEXT("")}},
    {.format = DECODE_CSV, "23.5,61,x", 0, {NONE, NONE, NONE}},
    {.format = DECODE_CSV, "OK", 0, {NONE, NONE, NONE}},
    {.format = DECODE_CSV, "$W,1;2;3;4;5", 3, {TEXT("1"), TEXT("2"), TEXT("4")}, "$W,", ";"},
    {.format = DECODE_PATTERN,
     "Temp is 23.5 C (humidity 61 %)",
     2,
     {TEXT("23.5"), TEXT("61"), NONE},
     .pattern = WORDS},
    {.format = DECODE_PATTERN,
     "Temp is 9 C (humidity 61 %) fan=on",
     3,
     {TEXT("9"), TEXT("61"), TEXT("on")},
     .pattern = WORDS},
    {.format = DECODE_PATTERN, "Temp is unknown", 0, {NONE, NONE, NONE}, .pattern = WORDS},
    {.format = DECODE_PATTERN,
     "12.5",
     3,
     {TEXT("12.5"), TEXT("2.5"), TEXT("5")},
     .pattern = "^(?<temp>1(?<hum>2.(?<fan>5)))$"},
};

/* The decoder of a sample; its pattern is the caller's to close. */
static struct decoder decoder_of(const struct sample *sample)
{
    static const char *const *const fields[] = {pair_fields, json_fields, csv_fields, json_fields};
    struct decoder decoder = {.format = sample->format,
                              .prefix = sample->prefix ? sample->prefix : "",
                              .separator = sample->separator ? sample->separator : ",",
                              .assign = sample->assign ? sample->assign : ":",
                              .n_fields = N};
    char error[128];

    if (sample->pattern)
        assert_int_equal(pattern_open(&decoder.pattern, sample->pattern, error, sizeof error), 0);
    for (size_t i = 0; i < N; i++) {
        decoder.fields[i] = sample->fields ? sample->fields[i] : fields[sample->format][i];
        if (sample->format == DECODE_CSV)
            decoder.positions[i] = (unsigned)atoi(decoder.fields[i]);
        if (sample->pattern)
            decoder.positions[i] = (unsigned)pattern_group(decoder.pattern, decoder.fields[i]);
    }
    return decoder;
}

static void reads_what_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct decoder decoder = decoder_of(&samples[i]);
        struct value raw[N];
        char *scratch = malloc(DECODE_SCRATCH(N, strlen(samples[i].line)));

        assert_int_equal(decode(&decoder, samples[i].line, raw, scratch), samples[i].found);
        for (size_t f = 0; f < N && samples[i].found > 0; f++)
            if (!value_equal(&raw[f], &samples[i].raw[f]))
                fail_msg("%s: %s is not as expected", samples[i].line, decoder.fields[f]);
        free(scratch);
        pattern_close(decoder.pattern);
    }
}

/* Every beginning of every line, in memory of exactly its size: a sanitizer sees one byte too many.
 */
static void a_line_cut_anywhere_is_read_within_its_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct decoder decoder = decoder_of(&samples[i]);

        for (size_t length = 0; length <= strlen(samples[i].line); length++) {
            struct value raw[N];
            char *line = strndup(samples[i].line, length);
            char *scratch = malloc(DECODE_SCRATCH(N, length));
            size_t found = decode(&decoder, line, raw, scratch);

            assert_true(found <= N);
            for (size_t f = 0; f < N; f++)
                if (raw[f].type == VALUE_TEXT) {
                    assert_true(raw[f].text >= scratch);
                    assert_true(raw[f].text + strlen(raw[f].text) <
                                scratch + DECODE_SCRATCH(N, length));
                }
            free(scratch);
            free(line);
        }
        pattern_close(decoder.pattern);
    }
}

static void a_field_that_points_share_is_read_for_each(void **state)
{
    static const char *const fields[N] = {"a", "a", "a"};
    const struct sample sample = {
        .format = DECODE_JSON, "{\"a\":\"0123456789\"}", N, .fields = fields};
    struct decoder decoder = decoder_of(&sample);
    struct value raw[N];
    char *scratch = malloc(DECODE_SCRATCH(N, strlen(sample.line)));

    (void)state;
    assert_int_equal(decode(&decoder, sample.line, raw, scratch), N);
    for (size_t i = 0; i < N; i++)
        assert_string_equal(raw[i].text, "0123456789");
    free(scratch);
}

/* Each of them would take longer than the age of the universe. */
static void the_worst_patterns_end_soon(void **state)
{
    static const char *const worst[] = {"^(a+)+$", "^(a|aa)+$", "^(.*)*(.*)*(.*)*b$", "(x+x+)+y",
                                        "^(([a-z])+.)+[A-Z]([a-z])+$"};
    char line[4001];
    struct timespec begin, end;
    uint64_t given_up = 0;

    (void)state;
    memset(line, 'a', sizeof line);
    line[sizeof line - 2] = '!';
    line[sizeof line - 1] = '\0';
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++) {
        struct pattern *pattern;
        char error[128];

        assert_int_equal(pattern_open(&pattern, worst[i], error, sizeof error), 0);
        assert_false(pattern_match(pattern, line));
        given_up += pattern_given_up(pattern);
        pattern_close(pattern);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_true(given_up >= 3);
    assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 < 250);
}

static void a_bad_pattern_is_explained(void **state)
{
    struct pattern *pattern;
    char error[128] = "";

    (void)state;
    assert_true(pattern_open(&pattern, "T=(", error, sizeof error) < 0);
    assert_non_null(strstr(error, "parenthesis"));
    assert_non_null(strstr(error, "at character 3"));
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
        cmocka_unit_test(a_field_that_points_share_is_read_for_each),
        cmocka_unit_test(the_worst_patterns_end_soon),
        cmocka_unit_test(a_bad_pattern_is_explained),
        cmocka_unit_test(phrases_say_values),
        cmocka_unit_test(a_phrase_too_long_is_refused),
        cmocka_unit_test(keys_are_filled_in_from_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
