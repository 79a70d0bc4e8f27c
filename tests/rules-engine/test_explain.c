/* What --check prints: rules in words, and warnings. */
#include "announced.h"
#include "conflict.h"
#include "explain.h"
#include "unannounced.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GREENHOUSE "\"select\":{\"device\":\"greenhouse_*\",\"measurement\":\"sensors\"}"
#define COMMAND(actuator, value) \
    "[{\"command\":{\"actuator\":\"" actuator "\",\"value\":" value "}}]"

struct text {
    struct config *config;
    void *settings;
    struct buffer out;
};

static struct text read_text(const char *json)
{
    struct text text = {0};
    assert_int_equal(config_open_text(&text.config, "test", json), 0);
    assert_int_equal(settings_configure(&text.settings, config_root(text.config)), 0);
    if (!config_check(text.config)) {
        config_report(text.config, stderr);
        fail();
    }
    return text;
}

static void free_text(struct text *text)
{
    settings_discard(text->settings);
    config_close(text->config);
    buffer_free(&text->out);
}

static void expect(struct text *text, const char *line)
{
    if (!strstr(buffer_string(&text->out), line))
        fail_msg("\"%s\" is not in\n%s", line, buffer_string(&text->out));
}

static void test_rules_in_words(void **state)
{
    (void)state;
    struct text text = read_text(
        "{\"derived\":[{\"name\":\"d\"," GREENHOUSE
        ",\"measurement\":\"climate\",\"values\":{\"dew\":\"temperature - 3\"}}],"
        "\"rules\":[{\"name\":\"cool\"," GREENHOUSE
        ",\"when\":\"temperature > 28\",\"until\":\"temperature < 26\",\"for\":\"90s\","
        "\"clear_for\":\"2m\",\"cool_down\":\"10m\",\"max_per_hour\":6,"
        "\"enable\":{\"from\":\"08:00\",\"to\":\"18:30\"},\"then\":" COMMAND(
            "fan",
            "true") ","
                    "\"else\":[{\"command\":{\"device\":\"roof_1\",\"actuator\":\"vent\","
                    "\"expression\":"
                    "\"temperature * 2\",\"ttl\":\"1m\",\"retries\":0}},"
                    "{\"publish\":{\"measurement\":\"log\",\"values\":{\"t\":\"temperature\"}}}]},"
                    "{\"name\":\"silent\"," GREENHOUSE ",\"absent\":\"30s\",\"alert\":true,"
                    "\"severity\":\"critical\"}]}");
    explain_settings(text.settings, &text.out);
    expect(&text, "derived d\n  selects sensors of */greenhouse_*\n"
                  "  publish climate: dew = temperature - 3\n");
    expect(&text, "rule cool\n  selects sensors of */greenhouse_*\n"
                  "  fires when temperature > 28, for 90s; until temperature < 26, for 2m\n"
                  "  not again within 10m\n  at most 6 times an hour\n"
                  "  only from 08:00 to 18:30 of its days, else inactive\n"
                  "  then command fan = true\n"
                  "  else command (same location)/roof_1 vent = temperature * 2, valid for 1m, "
                  "given again 0 times at most\n"
                  "  else publish log: t = temperature\n");
    expect(&text, "rule silent\n  selects sensors of */greenhouse_*\n"
                  "  fires when no good value came for 30s, until one comes\n"
                  "  alert silent (critical)\n");
    free_text(&text);
}

static size_t fights(const char *second, struct text *text)
{
    char json[2048];
    snprintf(json, sizeof(json),
             "{\"rules\":[{\"name\":\"a\"," GREENHOUSE ",\"when\":\"t > 1\",\"then\":" COMMAND(
                 "fan", "true") ",\"else\":" COMMAND("fan", "false") "},%s]}",
             second);
    *text = read_text(json);
    return conflict_fights(text->settings, &text->out);
}

static void test_fights(void **state)
{
    (void)state;
    static const struct {
        const char *second;
        size_t n;
    } cases[] = {
        {"{\"name\":\"b\"," GREENHOUSE ",\"when\":\"t < 0\",\"then\":" COMMAND("fan", "false") "}",
         1},
        {"{\"name\":\"b\"," GREENHOUSE ",\"when\":\"t < 0\",\"then\":" COMMAND("pump", "false") "}",
         0},
        {"{\"name\":\"b\",\"select\":{\"device\":\"line_*\",\"measurement\":\"x\"},"
         "\"when\":\"t < 0\",\"then\":" COMMAND("fan", "false") "}",
         0},
        {"{\"name\":\"b\",\"select\":{\"device\":\"line_*\",\"measurement\":\"x\"},"
         "\"when\":\"t < 0\",\"then\":[{\"command\":{\"device\":\"greenhouse_001\","
         "\"actuator\":\"fan\",\"expression\":\"t > 3\"}}]}",
         1},
    };
    struct text text;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = fights(cases[i].second, &text);
        if (n != cases[i].n)
            fail_msg("case %zu: %zu: %s", i, n, buffer_string(&text.out));
        if (i == 0)
            expect(&text, "warning: a (then true, else false) and b (then false) both command fan "
                          "of */greenhouse_*\n");
        free_text(&text);
    }
}

#define N_RULES 40

static void put_rule(struct buffer *json, unsigned seed)
{
    static const char *const devices[] = {"a*", "ab", "a", "*", "b*", "abc", "c"};
    static const char *const actuators[] = {"fan", "pump"};
    static const char *const values[] = {"true", "false"};
    unsigned name = seed;
    buffer_format(json,
                  "{\"name\":\"r%u\",\"select\":{\"device\":\"%s\",\"measurement\":\"m\"},"
                  "\"when\":\"t > 1\"",
                  name, devices[(size_t)rand_r(&seed) % 7]);
    for (int i = 0; i < 2; i++)
        buffer_format(json,
                      ",\"%s\":[{\"command\":{\"actuator\":\"%s\",\"value\":%s}},"
                      "{\"command\":{\"device\":\"%s\",\"actuator\":\"%s\",\"value\":%s}}]",
                      i ? "else" : "then", actuators[rand_r(&seed) % 2], values[rand_r(&seed) % 2],
                      i ? "ab" : "abc", actuators[rand_r(&seed) % 2], values[rand_r(&seed) % 2]);
    buffer_char(json, '}');
}

/* Of the rules that these numbers make. */
static size_t count_fights(const unsigned *seeds, size_t n)
{
    struct buffer json = {0};
    for (size_t i = 0; i < n; i++) {
        buffer_text(&json, i ? "," : "{\"rules\":[");
        put_rule(&json, seeds[i]);
    }
    buffer_text(&json, "]}");
    struct text text = read_text(buffer_string(&json));
    size_t count = conflict_fights(text.settings, &text.out);
    const char *at = buffer_string(&text.out);
    size_t n_lines = 0;
    for (; (at = strchr(at, '\n')); at++)
        n_lines++;
    assert_int_equal(n_lines, count > CONFLICT_MAX ? CONFLICT_MAX + 1 : count);
    free_text(&text);
    buffer_free(&json);
    return count;
}

/* All at once against each with each. */
static void test_fights_of_many(void **state)
{
    (void)state;
    unsigned seeds[N_RULES];
    size_t n = 0;
    for (unsigned i = 0; i < N_RULES; i++)
        seeds[i] = i + 1;
    for (size_t i = 0; i < N_RULES; i++)
        for (size_t j = 0; j < i; j++)
            n += count_fights((unsigned[]){seeds[j], seeds[i]}, 2);
    assert_in_range(n, CONFLICT_MAX + 1, N_RULES * (N_RULES - 1) / 2 - 1);
    assert_int_equal(count_fights(seeds, N_RULES), n);
}

#define COMPUTES(name)                                                                  \
    "{\"name\":\"" name "\"," GREENHOUSE ",\"when\":\"t > 1\",\"then\":[{\"command\":{" \
    "\"actuator\":\"fan\",\"expression\":\"t > 3\"}}]}"

static void test_what_is_computed_may_differ(void **state)
{
    (void)state;
    struct text text = read_text("{\"rules\":[" COMPUTES("a") "," COMPUTES("b") "]}");
    assert_int_equal(conflict_fights(text.settings, &text.out), 1);
    expect(&text,
           "warning: a (then t > 3) and b (then t > 3) both command fan of */greenhouse_*\n");
    free_text(&text);
}

/* Both only ever say the same: nothing to fight about. */
static void test_agreement_is_no_fight(void **state)
{
    (void)state;
    struct text text =
        read_text("{\"rules\":[{\"name\":\"a\"," GREENHOUSE ",\"when\":\"t > 1\",\"then\":" COMMAND(
            "fan", "true") "},{\"name\":\"b\"," GREENHOUSE
                           ",\"when\":\"t > 2\",\"then\":" COMMAND("fan", "true") "}]}");
    assert_int_equal(conflict_fights(text.settings, &text.out), 0);
    free_text(&text);
}

#define PUBLISHER(name, reads, writes)                                         \
    "{\"name\":\"" name "\",\"select\":{\"measurement\":\"" reads              \
    "\"},\"when\":\"v > 1\",\"then\":[{\"publish\":{\"measurement\":\"" writes \
    "\",\"values\":{\"v\":\"v\"}}}]}"

static void test_loops(void **state)
{
    (void)state;
    struct text text = read_text("{\"rules\":[" PUBLISHER("a", "x", "y") "]}");
    assert_int_equal(conflict_loops(text.settings, &text.out), 0);
    free_text(&text);

    text = read_text("{\"rules\":[" PUBLISHER("a", "x", "x") "]}");
    assert_int_equal(conflict_loops(text.settings, &text.out), 1);
    expect(&text, "warning: loop: a publishes x, read by a\n");
    free_text(&text);

    text = read_text("{\"derived\":[{\"name\":\"d\",\"select\":{\"measurement\":\"y\"},"
                     "\"measurement\":\"z\",\"values\":{\"v\":\"v\"}}],"
                     "\"rules\":[" PUBLISHER("a", "x", "y") "," PUBLISHER("b", "z", "x") "]}");
    assert_int_equal(conflict_loops(text.settings, &text.out), 1);
    expect(&text, "warning: loop: d publishes z, read by b publishes x, read by a publishes y, "
                  "read by d\n");
    free_text(&text);

    /* What leads nowhere is no part of it. */
    text = read_text("{\"rules\":[" PUBLISHER("a", "x", "y") "," PUBLISHER(
        "dead_end", "y", "nowhere") "," PUBLISHER("b", "y", "x") "]}");
    assert_int_equal(conflict_loops(text.settings, &text.out), 1);
    expect(&text, "warning: loop: a publishes y, read by b publishes x, read by a\n");
    free_text(&text);
}

static size_t unannounced(struct text *text, const char *meta)
{
    struct announced *announced;
    FILE *file = fmemopen((void *)(uintptr_t)meta, strlen(meta), "r");
    struct capture capture = {.file = file, .name = "meta", .errors = stderr};
    assert_int_equal(announced_open(&announced, &capture, "iot"), 0);
    fclose(file);
    size_t n = unannounced_list(announced, text->settings, &text->out);
    announced_close(announced);
    return n;
}

#define META(device, points, actuators)                                                   \
    "{\"t\":1,\"topic\":\"iot/a/" device "/meta\",\"payload\":{\"ts\":1,\"agent\":\"x\"," \
    "\"version\":\"1\",\"points\":[" points "],\"actuators\":[" actuators "]}}\n"
#define POINT(name) "{\"name\":\"" name "\",\"measurement\":\"sensors\",\"type\":\"number\"}"
#define FAN "{\"name\":\"fan\",\"type\":\"bool\",\"safe\":false}"

static void test_names_that_nobody_announces(void **state)
{
    (void)state;
    struct text text =
        read_text("{\"derived\":[{\"name\":\"d\"," GREENHOUSE
                  ",\"measurement\":\"climate\",\"values\":{\"dew\":\"t - 3\"}}],\"rules\":["
                  "{\"name\":\"a\"," GREENHOUSE ",\"when\":\"t > 1 and climate.dew > 2 and "
                  "roof.h > 3\",\"then\":" COMMAND("fan", "true") ",\"else\":" COMMAND(
                      "fan", "false") "},"
                                      "{\"name\":\"b\"," GREENHOUSE
                                      ",\"when\":\"t > 1 and climate.due > 2\",\"alert\":true},"
                                      "{\"name\":\"c\",\"select\":{\"device\":\"line_*\","
                                      "\"measurement\":\"sensors\"},"
                                      "\"when\":\"t > 1\",\"alert\":true}]}");
    assert_int_equal(
        unannounced(&text, META("greenhouse_1", POINT("t"), FAN) META("roof", POINT("h"), "")), 2);
    expect(&text, "warning: b reads due of climate, which a/greenhouse_1 does not announce\n");
    expect(&text, "warning: c selects sensors of */line_*, which no device announces\n");
    buffer_clear(&text.out);
    /* Of two of a device the later holds. */
    assert_int_equal(unannounced(&text, META("greenhouse_1", POINT("u"), FAN)
                                            META("greenhouse_1", POINT("t"), "")
                                                META("greenhouse_2", POINT("t"), "")
                                                    META("line_1", POINT("t"), "")),
                     3);
    expect(&text, "warning: a reads h of roof, which a/greenhouse_1 and 1 more do not announce\n");
    expect(&text, "warning: a commands fan, which a/greenhouse_1 and 1 more do not announce\n");
    free_text(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_in_words),
        cmocka_unit_test(test_fights),
        cmocka_unit_test(test_fights_of_many),
        cmocka_unit_test(test_what_is_computed_may_differ),
        cmocka_unit_test(test_agreement_is_no_fight),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_names_that_nobody_announces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
