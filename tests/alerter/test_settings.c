#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config *config;
static struct settings *settings;

static bool read_text(const char *text)
{
    void *out = NULL;

    assert_int_equal(config_open_text(&config, "test", text), 0);
    assert_int_equal(settings_configure(&out, config_root(config)), 0);
    settings = out;
    return config_check(config);
}

static void discard(void)
{
    settings_discard(settings);
    config_close(config);
}

static const struct topic *topic_of(const char *location, const char *device, const char *rule)
{
    static struct topic topic;

    topic = (struct topic){.kind = TOPIC_ALERT};
    strcpy(topic.location, location);
    strcpy(topic.device, device);
    strcpy(topic.name, rule);
    return &topic;
}

static size_t find(enum alert_severity severity, const char *location, const char *device,
                   const char *rule)
{
    const struct route *routes[ROUTE_TAKERS_MAX];
    size_t n = route_find(settings->route, topic_of(location, device, rule), severity, routes);
    uint32_t channels = 0;

    for (size_t i = 0; i < n; i++)
        channels |= routes[i]->channels;
    return channels;
}

static void test_routes(void **state)
{
    (void)state;
    assert_true(read_text(
        "{\"channels\":{\"log\":{\"type\":\"log\"},\"ops\":{\"type\":\"webhook\",\"url\":\"http://"
        "h/"
        "\"},\"night\":{\"type\":\"log\"}},\"route\":{\"channels\":[\"log\"],\"group_wait\":\"7s\","
        "\"routes\":["
        "{\"match\":{\"severity\":\"critical\",\"location\":\"hall_*\"},\"channels\":[\"ops\","
        "\"log\"],\"continue\":true,\"group_by\":[\"rule\",\"device\"]},"
        "{\"match\":{\"device\":\"pump_1|fan_*\",\"rule\":\"*_hot\"},\"channels\":[\"night\"],"
        "\"group_wait\":\"1s\"},{\"match\":{\"rule\":\"nobody\"},\"channels\":[]}]}}"));
    assert_int_equal(find(ALERT_INFO, "x", "y", "z"), 1);
    assert_int_equal(find(ALERT_CRITICAL, "hall_2", "y", "z"), 3);
    assert_int_equal(find(ALERT_WARNING, "hall_2", "y", "z"), 1);
    assert_int_equal(find(ALERT_CRITICAL, "hall_2", "pump_1", "too_hot"), 7);
    assert_int_equal(find(ALERT_INFO, "x", "fan_3", "too_hot"), 4);
    assert_int_equal(find(ALERT_INFO, "x", "pump_10", "too_hot"), 1);
    assert_int_equal(find(ALERT_INFO, "x", "y", "nobody"), 0);
    assert_int_equal(settings->route->children[0].wait_ms, 7000); /* as its parent has it */
    assert_int_equal(settings->route->children[0].group_by, ROUTE_BY_RULE | ROUTE_BY_DEVICE);
    assert_int_equal(settings->route->children[1].wait_ms, 1000);
    assert_int_equal(settings->route->children[1].group_by, ROUTE_BY_LOCATION);
    discard();
}

/* Siblings with the same matchers have different names, the same ones after a reload. */
static void test_twins(void **state)
{
    (void)state;
    assert_true(
        read_text("{\"channels\":{\"log\":{\"type\":\"log\"}},\"route\":{\"channels\":[\"log\"],"
                  "\"routes\":[{\"match\":{\"rule\":\"a\"}},{\"match\":{\"rule\":\"a\"}},{}]}}"));
    assert_string_equal(settings->route->name, "{ }");
    assert_string_equal(settings->route->children[0].name, "{ }{ rule=a }");
    assert_string_equal(settings->route->children[1].name, "{ }{ rule=a }#2");
    assert_string_equal(settings->route->children[2].name, "{ }{ }");
    assert_ptr_equal(route_named(settings->route, "{ }{ rule=a }#2"),
                     &settings->route->children[1]);
    assert_null(route_named(settings->route, "{ }{ rule=b }"));
    discard();
}

static void test_headers(void **state)
{
    char secret[] = "/tmp/secret-XXXXXX", text[512];
    int fd = mkstemp(secret);

    (void)state;
    assert_true(fd >= 0);
    dprintf(fd, "Bearer s3cret\n");
    snprintf(
        text, sizeof text,
        "{\"channels\":{\"ops\":{\"type\":\"webhook\",\"url\":\"https://h/\",\"headers\":{\"X-A\":"
        "\"b\"},\"secret_file\":\"%s\"}},\"route\":{\"channels\":[\"ops\"]}}",
        secret);
    assert_true(read_text(text));
    assert_string_equal(settings->channels[0].http.headers[0], "Content-Type: application/json");
    assert_string_equal(settings->channels[0].http.headers[1], "X-A: b");
    assert_string_equal(settings->channels[0].http.headers[2], "Authorization: Bearer s3cret");
    assert_null(settings->channels[0].http.headers[3]);
    discard();
    remove(secret);
}

/* Each is refused, and the report names the place. */
static void test_problems(void **state)
{
#define CHANNEL(members) "{\"channels\":{\"a\":{" members "}},\"route\":{\"channels\":[\"a\"]}}"
#define WEBHOOK(members) CHANNEL("\"type\":\"webhook\"," members)
#define ROOT(members) \
    "{\"channels\":{\"a\":{\"type\":\"log\"}},\"route\":{\"channels\":[\"a\"]}," members "}"
#define ROUTE(members) "{\"channels\":{\"a\":{\"type\":\"log\"}},\"route\":{" members "}}"
#define CHILD(members) ROUTE("\"channels\":[\"a\"],\"routes\":[{" members "}]")
    static const char *const cases[][2] = {
        {"{\"route\":{}}", "channels"},
        {"{\"channels\":{\"a\":{\"type\":\"log\"}}}", "route"},
        {"{\"channels\":{\"A\":{\"type\":\"log\"}},\"route\":{\"channels\":[\"A\"]}}",
         "channels.A"},
        {CHANNEL("\"type\":\"pigeon\""), "channels.a.type"},
        {CHANNEL("\"type\":\"log\",\"queue\":3"), "channels.a.queue"},
        {CHANNEL("\"type\":\"log\",\"fallback\":\"b\""), "channels.a.fallback"},
        {CHANNEL("\"type\":\"log\",\"fallback\":\"a\""), "falls back in a circle"},
        {WEBHOOK("\"timeout\":\"1s\""), "channels.a.url"},
        {WEBHOOK("\"url\":\"file:///etc/passwd\""), "channels.a.url"},
        {WEBHOOK("\"url\":\"http://h\",\"headers\":{\"A\":\"b\\r\\nC: d\"}"),
         "channels.a.headers.A"},
        {WEBHOOK("\"url\":\"http://h\",\"headers\":{\"A: b\":\"c\"}"),
         "channels.a.headers[\"A: b\"]"},
        {WEBHOOK("\"url\":\"http://h\",\"secret_file\":\"/nowhere\""), "channels.a.secret_file"},
        {WEBHOOK("\"url\":\"http://h\",\"timeout\":\"0s\""), "channels.a.timeout"},
        {ROOT("\"time_zone\":\"Europe/Atlantis\""), "time_zone"},
        {ROOT("\"time_zone\":\"../../etc/passwd\""), "time_zone"},
        {ROOT("\"quiet_hours\":{\"n\":{\"time_zone\":\"Tokyo\"}}"),
         "quiet_hours.n.time_zone: the system knows no zone \"Tokyo\"; is \"Asia/Tokyo\" meant?"},
        {CHANNEL("\"type\":\"log\",\"time_zone\":\"Mars\""), "channels.a.time_zone"},
        {ROOT("\"quiet_hours\":{\"n\":{\"from\":\"25:00\"}}"), "quiet_hours.n.from"},
        {ROOT("\"quiet_hours\":{\"n\":{\"days\":[\"monday\"]}}"), "quiet_hours.n.days"},
        {ROOT("\"quiet_hours\":{\"n\":{\"dates\":[\"2026-02-30\"]}}"), "quiet_hours.n.dates"},
        {ROOT("\"quiet_hours\":{\"n\":{\"hold\":[\"all\"]}}"), "quiet_hours.n.hold"},
        {ROOT("\"silences\":{\"s\":{\"until\":\"tomorrow\"}}"), "silences.s.until"},
        {ROOT("\"silences\":{\"s\":{}}"), "silences.s.until"},
        {ROOT("\"silences\":{\"S\":{\"until\":\"2026-12-24 18:00\"}}"), "silences.S"},
        {ROOT("\"inhibit\":[{\"source\":{\"rule\":\"x\"}}]"), "inhibit[0].target"},
        {ROOT("\"inhibit\":[{\"source\":{\"rule\":\"x\"},\"target\":{\"rule\":\"y\"},\"equal\":["
              "\"x\"]}"
              "]"),
         "inhibit[0].equal"},
        {ROOT("\"flapping\":{\"changes\":1}"), "flapping.changes"},
        {ROUTE("\"channels\":[\"b\"]"), "route.channels"},
        {ROUTE("\"channels\":[\"a\"],\"repeat_interval\":\"10ms\""), "route.repeat_interval"},
        {ROUTE("\"channels\":[\"a\"],\"group_by\":[\"colour\"]"), "route.group_by"},
        {ROUTE("\"channels\":[\"a\"],\"quiet\":[\"night\"]"), "route.quiet"},
        {ROUTE("\"channels\":[\"a\"],\"escalate\":[{\"after\":\"5m\"}]"),
         "route.escalate[0].channels"},
        {ROUTE("\"channels\":[\"a\"],\"escalate\":[{\"after\":\"5m\",\"channels\":[\"a\"]},{"
               "\"after\":\"5m\",\"channels\":[\"a\"]}]"),
         "route.escalate[1].after"},
        {ROUTE("\"group_wait\":\"1s\""), "route.channels: is required"},
        {ROUTE("\"channels\":[\"a\"],\"routes\":[{},{\"match\":{\"rule\":\"x\"}}]"),
         "route.routes[0].match: matches everything"},
        {CHILD("\"match\":{\"severity\":\"hot\"}"), "route.routes[0].match.severity"},
        {CHILD("\"match\":{\"device\":\"[ab]\"}"), "route.routes[0].match.device"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char report[2048] = "";
        FILE *out = fmemopen(report, sizeof report, "w");

        if (read_text(cases[i][0]))
            fail_msg("taken: %s", cases[i][0]);
        config_report(config, out);
        fclose(out);
        if (!strstr(report, cases[i][1]))
            fail_msg("%s is not in \"%s\"", cases[i][1], report);
        discard();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
