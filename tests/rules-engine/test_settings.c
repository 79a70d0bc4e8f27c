/* What is wrong with a configuration, by path; and the demo's own, which must be right. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_OF(array) (sizeof(array) / sizeof(array[0]))

/* All problems as one text; empty where there is none. */
static char *problems_of(const char *json)
{
    struct config *config;
    void *settings = NULL;
    char *report;
    size_t size;
    FILE *out = open_memstream(&report, &size);
    assert_int_equal(config_open_text(&config, "rules.json", json), 0);
    assert_int_equal(settings_configure(&settings, config_root(config)), 0);
    if (!config_check(config))
        config_report(config, out);
    fclose(out);
    settings_discard(settings);
    config_close(config);
    return report;
}

#define RULE(more) \
    "{\"rules\":[{\"name\":\"r\",\"select\":{\"measurement\":\"m\"},\"alert\":true," more "}]}"
#define DERIVED(name, from, to, expression)                                                  \
    "{\"name\":\"" name "\",\"select\":{\"measurement\":\"" from "\"},\"measurement\":\"" to \
    "\",\"values\":{\"v\":\"" expression "\"}}"
#define SELECTED(name, device)                                \
    "{\"name\":\"" name "\",\"select\":{\"device\":\"" device \
    "\",\"measurement\":\"m\"},\"when\":\"x > 1\",\"alert\":true}"

#define BLOCK(name, more, in_block)                                                          \
    "{\"name\":\"" name "\",\"select\":{\"measurement\":\"m\"},\"on_off\":{\"input\":\"x\"," \
    "\"setpoint\":-20.5,\"band\":1,\"action\":\"heats\",\"actuator\":\"v\"" in_block "}" more "}"
#define ON_OFF(more, in_block) "{\"rules\":[" BLOCK("r", more, in_block) "]}"
#define WATCHED(name) BLOCK(name, ",\"alert\":true,\"for\":\"1m\"", ",\"tolerance\":2")

static const struct {
    const char *json;
    const char *problem; /* "" where it is good */
} cases[] = {
    {"{}", ""},
    {RULE("\"when\":\"x > 1\""), ""},
    {RULE("\"when\":\"x >\""), "rules[0].when: line 1, column 4: expected a number"},
    {RULE("\"when\":\"x + 1\""), "rules[0].when: line 1, column 1: expected true or false"},
    {RULE("\"when\":\"x > 1\",\"until\":\"'a'\""), "rules[0].until: line 1, column 1: expected"},
    {"{\"rules\":[{\"name\":\"r\",\"select\":{\"measurement\":\"m\"},\"pid\":{\"input\":\"x\","
     "\"setpoint\":"
     "\"20\",\"gain\":1,\"minimum\":5,\"maximum\":5,\"actuator\":\"v\"}}]}",
     "rules[0].pid.maximum: must be above"},
    {"{\"rules\":[{\"name\":\"r\",\"select\":{\"measurement\":\"m\"},\"on_off\":{\"input\":\"x\","
     "\"setpoint\":\"20\",\"band\":1,\"action\":\"burns\",\"actuator\":\"v\"}}]}",
     "rules[0].on_off.action: "},
    {ON_OFF("", ",\"auto\":\"not state.hand\",\"device\":\"relay_1\""), ""},
    {ON_OFF(",\"enable\":{\"from\":\"06:00\",\"to\":\"22:00\"}", ""), ""},
    {ON_OFF(",\"alert\":true,\"for\":\"10m\",\"message\":\"{x}\"", ",\"tolerance\":2"), ""},
    {ON_OFF(",\"alert\":true,\"for\":\"10m\"", ""), "rules[0].on_off.tolerance: "},
    {ON_OFF(",\"alert\":true,\"for\":\"10m\"", ",\"tolerance\":-1"),
     "rules[0].on_off.tolerance: must not be negative"},
    {ON_OFF(",\"alert\":true", ",\"tolerance\":2"), "rules[0].for: is missing: how long"},
    {ON_OFF("", ",\"tolerance\":2"), "rules[0].on_off.tolerance: is about the alert"},
    {ON_OFF(",\"for\":\"10m\"", ""), "rules[0].for: is about the alert"},
    {ON_OFF(",\"when\":\"x > 1\"", ""), "rules[0].when: does not go with \"on_off\""},
    {ON_OFF(",\"alert\":true,\"for\":\"1s\",\"message\":\"{x\"", ",\"tolerance\":2"),
     "rules[0].message: line 1, column 1: expected"},
    {"{\"rules\":[" WATCHED("r") "," WATCHED("r_not_held") "]}",
     "rules[1].name: is \"r_not_held\", which rules[0]"},
    {"{\"rules\":[" WATCHED("a_name_that_leaves_no_room_for_what_an_alert_adds_to_its_end") "]}",
     "at most 55 are possible where a rule commands: an alert about that adds _not_held"},
    {RULE("\"absent\":\"30s\""), ""},
    {RULE("\"absent\":\"30s\",\"when\":\"x > 1\""), "rules[0].when: does not go with"},
    {RULE("\"when\":\"x > 1\",\"enable\":{\"days\":[\"monday\"]}"), "rules[0].enable.days: "},
    {RULE("\"when\":\"x > 1\",\"then\":[{\"publish\":{\"measurement\":\"n\"}}]"),
     "rules[0].then[0].publish.values: needs at least one"},
    {"{\"time_zone\":\"Europe/Nowhere\"}", "time_zone: the system knows no zone"},
    {RULE("\"absent\":\"0s\""), "rules[0].absent: "},
    {RULE("\"until\":\"x > 1\""), "rules[0].when: "},
    {RULE("\"when\":\"x > 1\",\"message\":\"{x\""), "rules[0].message: line 1, column 1: expected"},
    {RULE("\"when\":\"x > 1\",\"message\":\"at {x:.1}\""),
     "rules[0].message: line 1, column 6: expected '}' or a format, such as :.1f or :.2%, found"},
    {RULE("\"when\":\"x > 1\",\"message\":\"at {x ? 1 : 2:.1f}{y:.0%}{{}}\""), ""},
    {RULE("\"when\":\"x > 1\",\"severity\":\"bad\""), "rules[0].severity: "},
    {RULE("\"when\":\"x > 1\",\"for\":\"5 parsecs\""), "rules[0].for: "},
    {RULE("\"when\":\"x > 1\",\"unless\":\"x\""), "rules[0].unless: "},
    {RULE("\"when\":\"x > 1\",\"then\":[{\"comand\":{}}]"),
     "rules[0].then[0]: needs either \"command\" or"},
    {RULE("\"when\":\"x > 1\",\"then\":[{\"command\":{\"actuator\":\"fan\"}}]"),
     "rules[0].then[0].command: needs either \"value\" or \"expression\""},
    {RULE("\"when\":\"x > 1\",\"else\":[{\"command\":{\"value\":1}}]"),
     "rules[0].else[0].command.actuator: "},
    {RULE("\"when\":\"x > 1\",\"else\":[{\"command\":{\"actuator\":\"a\",\"expression\":\"1+\"}}]"),
     "rules[0].else[0].command.expression: line 1, column 3: expected"},
    {RULE("\"when\":\"x > 1\",\"then\":[{\"command\":{\"device\":\"A B\",\"actuator\":\"a\","
          "\"value\":1}}]"),
     "rules[0].then[0].command.device: "},
    {"{\"rules\":[{\"name\":\"_r\",\"select\":{\"measurement\":\"m\"},\"when\":\"x>1\","
     "\"alert\":true}]}",
     "rules[0].name: "},
    {"{\"rules\":[{\"name\":\"r\",\"select\":{\"device\":\"A*\",\"measurement\":\"m\"},"
     "\"when\":\"x>1\",\"alert\":true}]}",
     "rules[0].select.device: is \"A*\", must be a name"},
    {"{\"rules\":[{\"name\":\"r\",\"select\":{\"measurement\":\"*\"},\"when\":\"x>1\","
     "\"alert\":true}]}",
     "rules[0].select.measurement: "},
    {"{\"rules\":[{\"name\":\"r\",\"select\":{\"measurement\":\"m\"},\"when\":\"x>1\"}]}",
     "rules[0]: does nothing"},
    /* the same name twice, where one device could be meant by both */
    {"{\"rules\":[" SELECTED("r", "a_*") "," SELECTED("r", "b_*") "]}", ""},
    {"{\"rules\":[" SELECTED("r", "*_a") "," SELECTED("r", "*_b") "]}", ""},
    {"{\"rules\":[" SELECTED("r", "a") "," SELECTED("s", "a") "]}", ""},
    {"{\"rules\":[" SELECTED("r", "a_*") "," SELECTED("r", "a_1") "]}",
     "rules[1].name: is \"r\", which rules[0] in rules.json is called for the same devices"},
    {"{\"rules\":[" SELECTED("r", "a*") "," SELECTED("r", "*z") "]}", "rules[1].name: "},
    /* derived values */
    {"{\"derived\":[" DERIVED("a", "m", "n", "x / y") "]}", ""},
    {"{\"derived\":[" DERIVED("a", "m", "n", "x") "," DERIVED("b", "n", "o", "x") "]}", ""},
    {"{\"derived\":[" DERIVED("a", "m", "n", "x") "," DERIVED("b", "k", "n", "x") "]}",
     "derived[1].measurement: is \"n\", which derived[0] in rules.json publishes"},
    {"{\"derived\":[" DERIVED("a", "m", "m", "x") "]}", "derived[0]: is in a loop"},
    {"{\"derived\":[" DERIVED("a", "m", "n", "n.v") "]}", "derived[0]: is in a loop"},
    {"{\"derived\":[" DERIVED("a", "m", "n", "x") "," DERIVED("b", "n", "m", "x") "]}",
     "derived[1]: is in a loop"},
    {"{\"derived\":[" DERIVED("a", "m", "n", "d.o.v") "," DERIVED("b", "n", "o", "x") "]}",
     "derived[0]: is in a loop"},
    {"{\"derived\":[{\"name\":\"a\",\"select\":{\"measurement\":\"m\"},\"measurement\":\"n\"}]}",
     "derived[0].values: needs at least one"},
    {"{\"derived\":[" DERIVED("a", "m", "n", "x +") "]}",
     "derived[0].values.v: line 1, column 4: expected"},
};

static void test_problems(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        char *report = problems_of(cases[i].json);
        bool right = cases[i].problem[0] ? strstr(report, cases[i].problem) != NULL : !report[0];
        if (!right)
            fail_msg("%s\n  gives \"%s\"\n  instead of \"%s\"", cases[i].json, report,
                     cases[i].problem);
        free(report);
    }
}

/* One run tells all of them. */
static void test_all_at_once(void **state)
{
    (void)state;
    char *report =
        problems_of("{\"rules\":[{\"name\":\"r\",\"when\":\"x >\"},{\"when\":\"y <\"}]}");
    assert_non_null(strstr(report, "rules[0].when"));
    assert_non_null(strstr(report, "rules[0].select.measurement"));
    assert_non_null(strstr(report, "rules[1].when"));
    assert_non_null(strstr(report, "rules[1].name"));
    free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_all_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
