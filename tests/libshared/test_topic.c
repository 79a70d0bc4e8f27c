/* Topics: each kind both ways, names and roots at their limits, filters as MQTT 5 has them. */
#include "topic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAME_64 "abcdefghijklmnopqrstuvwxyz0123456789_-abcdefghijklmnopqrstuvwxyz"

static const struct {
    enum topic_kind kind;
    const char *location, *device, *name;
    const char *text; /* below the root */
} kinds[] = {
    {TOPIC_TELEMETRY, "hall", "line_001", "process", "hall/line_001/telemetry/process"},
    {TOPIC_STATUS, "hall", "line_001", "", "hall/line_001/status"},
    {TOPIC_META, "hall", "line_001", "", "hall/line_001/meta"},
    {TOPIC_COMMAND, "hall", "line_001", "pump", "hall/line_001/command/pump"},
    {TOPIC_RESULT, "hall", "line_001", "pump", "hall/line_001/result/pump"},
    {TOPIC_STATE, "hall", "line_001", "pump", "hall/line_001/state/pump"},
    {TOPIC_ALERT, "hall", "line_001", "hot", "hall/line_001/alert/hot"},
    {TOPIC_ACK, "hall", "line_001", "hot", "hall/line_001/ack/hot"},
    {TOPIC_SERVICE_STATUS, "", "", "sink-1", "_service/sink-1/status"},
    {TOPIC_SERVICE_HEALTH, "", "", "sink-1", "_service/sink-1/health"},
    {TOPIC_SILENCE, "", "", "night", "_silence/night"},
    {TOPIC_DEAD, "", "", "influx-sink", "_dead/influx-sink"},
    {TOPIC_QUERY, "", "", "stats", "_query/stats"},
    {TOPIC_NOTIFICATION, "", "", "webhook", "_notification/webhook"},
};

static void test_every_kind_both_ways(void **state)
{
    (void)state;
    static const char *const roots[] = {"iot", "a/b/c"};
    assert_int_equal(sizeof kinds / sizeof kinds[0], TOPIC_N_KINDS);
    for (size_t r = 0; r < 2; r++) {
        for (size_t i = 0; i < TOPIC_N_KINDS; i++) {
            char expected[TOPIC_SIZE];
            char text[TOPIC_SIZE];
            struct topic topic;
            snprintf(expected, sizeof expected, "%s/%s", roots[r], kinds[i].text);
            assert_int_equal(topic_parse(&topic, roots[r], expected), 0);
            assert_int_equal(topic.kind, kinds[i].kind);
            assert_string_equal(topic.location, kinds[i].location);
            assert_string_equal(topic.device, kinds[i].device);
            assert_string_equal(topic.name, kinds[i].name);
            assert_int_equal(topic_format(text, roots[r], &topic), 0);
            assert_string_equal(text, expected);
        }
    }
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "iot",
        "iot/",
        "/iot/hall/line/status",
        "iothall/line/status",
        "other/hall/line/status",
        "IOT/hall/line/status",
        "iot/hall",
        "iot/hall/line",
        "iot/hall/line/",
        "iot/hall/line/status/",
        "iot/hall/line/status/x",
        "iot/hall/line/meta/x",
        "iot/hall/line/telemetry",
        "iot/hall/line/telemetry/",
        "iot/hall/line/telemetry/a/b",
        "iot//line/status",
        "iot/hall//status",
        "iot/hall/line/unknown/x",
        "iot/hall/line/Telemetry/x",
        "iot/Hall/line/status",
        "iot/ha ll/line/status",
        "iot/h\xc3\xa4ll/line/status",
        "iot/+/line/status",
        "iot/hall/line/#",
        "iot/_service/x",
        "iot/_service/x/other",
        "iot/_service/x/status/y",
        "iot/_silence",
        "iot/_silence/a/b",
        "iot/_unknown/x",
        "iot/_service/line/telemetry/x",
        "iot/_hall/line/status",
        "iot/" NAME_64 "x/line/status",
        "iot/hall/line/telemetry/" NAME_64 "x",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct topic topic;
        assert_int_equal(topic_parse(&topic, "iot", cases[i]), -ENOENT);
    }
}

static void test_longest(void **state)
{
    (void)state;
    char root[201];
    char text[TOPIC_SIZE];
    char too_long[TOPIC_SIZE];
    struct topic topic;
    memset(root, 'r', 200);
    root[200] = '\0';
    assert_true(topic_root_valid(root));
    assert_int_equal(topic_make(text, root, TOPIC_TELEMETRY, NAME_64, NAME_64, NAME_64), 0);
    assert_int_equal(topic_parse(&topic, root, text), 0);
    assert_string_equal(topic.name, NAME_64);
    memset(too_long, 'x', sizeof too_long);
    too_long[TOPIC_SIZE - 1] = '\0';
    assert_int_equal(topic_make(text, "iot", TOPIC_DEAD, NULL, NULL, too_long), -ENAMETOOLONG);
    too_long[TOPIC_SIZE - 1 - strlen("iot/_dead/")] = '\0'; /* the last that fits */
    assert_int_equal(topic_make(text, "iot", TOPIC_DEAD, NULL, NULL, too_long), 0);
    assert_int_equal(strlen(text), TOPIC_SIZE - 1);
}

static void test_filters_are_made(void **state)
{
    (void)state;
    char text[TOPIC_SIZE];
    assert_int_equal(topic_make(text, "iot", TOPIC_COMMAND, "+", "+", "+"), 0);
    assert_string_equal(text, "iot/+/+/command/+");
    assert_int_equal(topic_make(text, "a/b", TOPIC_META, "hall", "+", NULL), 0);
    assert_string_equal(text, "a/b/hall/+/meta");
    assert_int_equal(topic_make(text, "iot", TOPIC_SERVICE_HEALTH, NULL, NULL, "+"), 0);
    assert_string_equal(text, "iot/_service/+/health");
}

static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "0", "_x", "-", "line_001", "a-b", NAME_64};
    static const char *const bad[] = {"",  "A",    "a b", "a/b",      "a.b",      "a+",
                                      "#", "$SYS", "a\n", "\xc3\xa4", NAME_64 "x"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(topic_name_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(topic_name_valid(bad[i]));
    assert_false(topic_name_valid(NULL));
    assert_true(topic_name_reserved("_x"));
    assert_false(topic_name_reserved("x_"));
    assert_false(topic_name_reserved(""));
    assert_false(topic_name_reserved(NULL));
}

static void test_roots(void **state)
{
    (void)state;
    static const char *const good[] = {"iot", "a/b/c", "Site 7", "werk-n\xc3\xb6rd", "a$b"};
    static const char *const bad[] = {"",    "/", "/a",   "a/",  "a//b", "a/+",
                                      "a/#", "#", "$SYS", "a\n", "a\177"};
    char long_root[202];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(topic_root_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(topic_root_valid(bad[i]));
    assert_false(topic_root_valid(NULL));
    memset(long_root, 'r', 201);
    long_root[201] = '\0';
    assert_false(topic_root_valid(long_root));
}

/* MQTT 5, section 4.7.1 to 4.7.3: its own examples, and the corners. */
static void test_matches(void **state)
{
    (void)state;
    static const struct {
        const char *filter, *topic;
        bool matches;
    } cases[] = {
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/tennis/player1/#", "sport/tennis/player10", false},
        {"sport/#", "sport", true},
        {"sport/tennis/+", "sport/tennis/player1", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+", "sport", true},
        {"+", "/finance", false},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+/tennis/#", "sport/tennis", true},
        {"sport/+/player1", "sport/tennis/player1", true},
        {"#", "a/b/c", true},
        {"#", "/", true},
        {"#", "$SYS/x", false},
        {"+/x", "$SYS/x", false},
        {"$SYS/#", "$SYS/x", true},
        {"$SYS/+", "$SYS/x", true},
        {"a/b", "a/b", true},
        {"a/b", "a/b/c", false},
        {"a/b/c", "a/b", false},
        {"a/b/", "a/b", false},
        {"a/b", "a/b/", false},
        {"a", "A", false},
        {"ab", "a", false},
        {"a", "ab", false},
        {"a/#/b", "a/x/b", false},
        {"a/b#", "a/b#", true}, /* neither is valid; nothing is read past its end */
        {"a+", "ab", false},
        {"", "a", false},
        {"a", "", false},
        {"$share/group/iot/+", "iot/x", true},
        {"$share/group/iot/+", "iot/x/y", false},
        {"$share/group/#", "a/b", true},
        {"$share/group/#", "$SYS/x", false},
        {"$share/group", "group", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (topic_matches(cases[i].filter, cases[i].topic) != cases[i].matches)
            fail_msg("%s and %s", cases[i].filter, cases[i].topic);
    }
}

static void test_reply(void **state)
{
    static const char *const others[] = {"reply/me", "iot/_reply/me", "iot/_reply/a/b", "iota/x",
                                         "io"};
    static const char *const own[] = {"",
                                      "iot",
                                      "iot/",
                                      "iot/_reply",
                                      "iot/_reply/",
                                      "iot/_replyx/me",
                                      "iot/facility_a/greenhouse_001/command/fan",
                                      "iot/no_topic_of_the_suite",
                                      "iot/_service/x/status",
                                      "$SYS/broker",
                                      "$share/g/x",
                                      "iot/_reply/+",
                                      "a/#"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(topic_is_reply("iot", others[i]));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (topic_is_reply("iot", own[i]))
            fail_msg("'%s' was taken", own[i]);
    assert_true(topic_is_reply("plant/iot", "iot/a/b/command/x"));
    assert_false(topic_is_reply("plant/iot", "plant/iot/a/b/command/x"));
}

static void names_the_topic_that_tests_a_filter(void **state)
{
    (void)state;
    static const struct {
        const char *filter, *topic;
    } cases[] = {{"iot/+/+/command/+", "iot/_echo/_echo/command/_echo"},
                 {"iot/a/b/command/+", "iot/a/b/command/_echo"},
                 {"iot/#", "iot/_echo"}};
    char topic[TOPIC_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(topic_echo(topic, cases[i].filter), 0);
        assert_string_equal(topic, cases[i].topic);
        assert_true(topic_is_echo(topic));
        assert_true(topic_matches(cases[i].filter, topic));
    }
    assert_int_equal(topic_echo(topic, "iot/_query/stats"), -ENOENT);
    assert_int_equal(topic_echo(topic, "$share/group/iot/+"), -ENOENT);
    char filter[2 * TOPIC_SIZE];
    memset(filter, '+', sizeof filter - 1);
    filter[sizeof filter - 1] = '\0';
    assert_int_equal(topic_echo(topic, filter), -ENAMETOOLONG);
    assert_false(topic_is_echo("iot/a/b/command/fan"));
    assert_false(topic_is_echo("iot/my_echo/_echoes"));
    assert_true(topic_is_echo("_echo"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_topic_that_tests_a_filter),
        cmocka_unit_test(test_every_kind_both_ways),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_filters_are_made),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
