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

static void test_routes(void **state)
{
    (void)state;
    assert_true(read_text(
        "{\"channels\":{\"log\":{\"type\":\"log\"},\"ops\":{\"type\":\"webhook\",\"url\":\"http://"
        "h/\"},"
        "\"night\":{\"type\":\"log\"}},\"routes\":["
        "{\"channels\":[\"log\"]},"
        "{\"match\":{\"severity\":\"critical\",\"location\":\"hall_*\"},\"channels\":[\"ops\","
        "\"log\"]},"
        "{\"match\":{\"device\":\"pump_1\",\"rule\":\"*_hot\"},\"channels\":[\"night\"]}]}"));
    assert_int_equal(settings->n_routes, 3);
#define CHANNELS(severity, location, device, rule) \
    route_channels(settings->routes, 3, topic_of(location, device, rule), severity)
    assert_int_equal(CHANNELS(ALERT_INFO, "x", "y", "z"), 1);
    assert_int_equal(CHANNELS(ALERT_CRITICAL, "hall_2", "y", "z"), 3);
    assert_int_equal(CHANNELS(ALERT_WARNING, "hall_2", "y", "z"), 1);
    assert_int_equal(CHANNELS(ALERT_CRITICAL, "a_hall_2", "y", "z"), 1);
    assert_int_equal(CHANNELS(ALERT_CRITICAL, "hall_2", "pump_1", "too_hot"), 7);
    assert_int_equal(CHANNELS(ALERT_INFO, "x", "pump_1", "too_cold"), 1);
    assert_int_equal(CHANNELS(ALERT_INFO, "x", "pump_10", "too_hot"), 1);
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
        "\"b\"},\"secret_file\":\"%s\"}},\"routes\":[{\"channels\":[\"ops\"]}]}",
        secret);
    assert_true(read_text(text));
    assert_string_equal(settings->channels[0].webhook.headers[0], "Content-Type: application/json");
    assert_string_equal(settings->channels[0].webhook.headers[1], "X-A: b");
    assert_string_equal(settings->channels[0].webhook.headers[2], "Authorization: Bearer s3cret");
    assert_null(settings->channels[0].webhook.headers[3]);
    discard();
    remove(secret);
}

/* Each is refused, and the report names the place. */
static void test_problems(void **state)
{
#define WEBHOOK(members)                                                                           \
    "{\"channels\":{\"a\":{\"type\":\"webhook\"," members "}},\"routes\":[{\"channels\":[\"a\"]}]" \
    "}"
#define ROUTE(members) "{\"channels\":{\"a\":{\"type\":\"log\"}},\"routes\":[{" members "}]}"
    static const char *const cases[][2] = {
        {"{\"routes\":[]}", "channels"},
        {"{\"channels\":{\"a\":{\"type\":\"log\"}}}", "routes"},
        {"{\"channels\":{\"A\":{\"type\":\"log\"}},\"routes\":[{\"channels\":[\"A\"]}]}",
         "channels.A"},
        {"{\"channels\":{\"a\":{\"type\":\"mail\"}},\"routes\":[{\"channels\":[\"a\"]}]}",
         "channels.a.type"},
        {"{\"channels\":{\"a\":{\"type\":\"log\",\"queue\":3}},\"routes\":[{\"channels\":[\"a\"]}]"
         "}",
         "channels.a.queue"},
        {WEBHOOK("\"timeout\":\"1s\""), "channels.a.url"},
        {WEBHOOK("\"url\":\"file:///etc/passwd\""), "channels.a.url"},
        {WEBHOOK("\"url\":\"http://h\",\"headers\":{\"A\":\"b\\r\\nC: d\"}"),
         "channels.a.headers.A"},
        {WEBHOOK("\"url\":\"http://h\",\"headers\":{\"A: b\":\"c\"}"),
         "channels.a.headers[\"A: b\"]"},
        {WEBHOOK("\"url\":\"http://h\",\"secret_file\":\"/nowhere\""), "channels.a.secret_file"},
        {WEBHOOK("\"url\":\"http://h\",\"timeout\":\"0s\""), "channels.a.timeout"},
        {ROUTE("\"channels\":[\"b\"]"), "routes[0].channels"},
        {ROUTE("\"match\":{}"), "routes[0].channels"},
        {ROUTE("\"channels\":[\"a\"],\"match\":{\"severity\":\"hot\"}"),
         "routes[0].match.severity"},
        {ROUTE("\"channels\":[\"a\"],\"match\":{\"device\":\"[ab]\"}"), "routes[0].match.device"},
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
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
