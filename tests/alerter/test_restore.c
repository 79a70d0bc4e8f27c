/* A memory that was written by an older program, or with other routes: nobody is told twice, and
 * who was told of an alert hears of its end. */
#include "core_stand.h"

#define ROUTE                                                                                     \
    "\"channels\":[\"a\"],\"group_wait\":\"0s\",\"group_interval\":\"0s\",\"group_by\":"          \
    "[\"device\"],\"repeat_interval\":\"0s\",\"escalate\":[{\"after\":\"5m\",\"channels\":[\"b\"" \
    "]}]"

/* `route`: the members of the root. */
static void open_with(const char *route)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"channels\":{\"a\":{\"type\":\"log\",\"max_per_hour\":20},\"b\":{\"type\":\"log\"},"
             "\"c\":{\"type\":\"log\"}},\"flapping\":{\"changes\":0},\"route\":{%s}}",
             route);
    open_core(text);
}

static void on_pending(void *self, const char *channel, struct notification *notification)
{
    (void)self;
    assert_string_equal(channel, "a");
    assert_string_equal(notification->id, "escalated/1763805600000/1");
    notification_close(notification);
}

static void load(const char *path)
{
    char error[256] = "";

    if (memory_load(path, core, on_pending, NULL, error, sizeof error) < 0)
        fail_msg("%s: %s", path, error);
}

static void reload_with(const char *route)
{
    char path[] = "/tmp/test_restore_XXXXXX";

    save_core(path);
    close_core();
    open_with(route);
    load(path);
    remove(path);
}

static void hear(const char *device, enum alert_state state, int64_t time_ms)
{
    struct topic topic = {.kind = TOPIC_ALERT, .location = "hall", .name = "lost"};
    const struct alert alert = {.state = state,
                                .severity = ALERT_WARNING,
                                .since_ms = time_ms,
                                .message = "no signal",
                                .rule = "lost",
                                .episode = 1};

    snprintf(topic.device, sizeof topic.device, "%s", device);
    core_tick(core, time_ms);
    assert_int_equal(core_alert(core, &topic, &alert, false, time_ms), 0);
}

static void assert_told(const char *expected)
{
    assert_string_equal(told, expected);
    told[0] = '\0';
}

/* As the program wrote it whose memory had no checksum, and did not say who is owed an end: an
 * alert that was escalated, one in hands, a stale one, a silenced one, a limit that holds an end,
 * and a notification that waits. */
static void test_version_2(void **state)
{
    (void)state;
    open_with(ROUTE);
    load(SOURCE_DIR "/tests/alerter/memory_version_2.json");
    core_tick(core, T0 + 6 * MINUTE);
    assert_told("a summary resolved over\n");
    hear("escalated", ALERT_RESOLVED, T0 + 7 * MINUTE);
    hear("taken", ALERT_RESOLVED, T0 + 7 * MINUTE);
    hear("dry", ALERT_RESOLVED, T0 + 7 * MINUTE);
    assert_told("a news resolved escalated\nb news resolved escalated\na news resolved taken\n"
                "a news resolved dry\n");
    core_tick(core, T0 + 61 * MINUTE); /* the silence is over */
    assert_told("a news firing quiet\n");
    close_core();
}

/* The memory of version 2 as if its route had another name. */
static void load_renamed(void)
{
    FILE *from = fopen(SOURCE_DIR "/tests/alerter/memory_version_2.json", "r");
    char path[] = "/tmp/test_restore_XXXXXX", *line = NULL, *name;
    FILE *to = fdopen(mkstemp(path), "w");
    size_t capacity = 0;

    assert_non_null(from);
    assert_non_null(to);
    while (getline(&line, &capacity, from) >= 0) {
        name = strstr(line, "\"{ }\"");
        if (name)
            name[2] = 'x';
        fputs(line, to);
    }
    free(line);
    fclose(from);
    fclose(to);
    load(path);
    remove(path);
}

/* Its route is no more, and the file does not say whom it told: who is told now hears the end. */
static void test_version_2_without_its_route(void **state)
{
    (void)state;
    open_with("\"channels\":[\"c\"],\"group_wait\":\"0s\",\"group_interval\":\"0s\",\"group_by\":"
              "[\"device\"],\"routes\":[{\"match\":{\"device\":\"dry\"},\"channels\":[\"b\"]}]");
    load_renamed();
    core_tick(core, T0 + 6 * MINUTE);
    assert_non_null(strstr(told, "b news stale dry\n"));
    assert_non_null(strstr(told, "c news firing escalated\n"));
    assert_null(strstr(told, "c news stale dry\n"));
    told[0] = '\0';
    hear("dry", ALERT_RESOLVED, T0 + 7 * MINUTE);
    assert_told("b news resolved dry\n");
    close_core();
}

/* Another route takes the alert; its old one is still there, or not. */
static void check_moved(const char *before, const char *after)
{
    open_with(before);
    hear("line_1", ALERT_FIRING, T0);
    assert_told("a news firing line_1\n");
    reload_with(after);
    core_tick(core, T0 + 1000);
    assert_told("a news moved line_1\nc news firing line_1\n");
    reload_with(after);
    core_tick(core, T0 + 30 * MINUTE);
    assert_told("");
    hear("line_1", ALERT_RESOLVED, T0 + 31 * MINUTE);
    assert_told("a news resolved line_1\nc news resolved line_1\n");
    assert_int_equal(core_stats(core).groups, 0);
    close_core();
}

#define LINES(channel)                                                               \
    ROUTE ",\"routes\":[{\"match\":{\"device\":\"line_*\"},\"channels\":[\"" channel \
          "\"],\"escalate\":[]}]"
#define ROOM                                                                      \
    ROUTE ",\"routes\":[{\"match\":{\"location\":\"hall\"},\"channels\":[\"c\"]," \
          "\"escalate\":[]}]"

static void test_moved_by_a_reload(void **state)
{
    (void)state;
    check_moved(ROUTE, LINES("c"));
}

static void test_moved_by_a_reload_without_the_route(void **state)
{
    (void)state;
    check_moved(LINES("a"), ROOM);
}

/* Who is told by the new route knows of it already. */
static void test_moved_to_the_same_channel(void **state)
{
    (void)state;
    open_with(ROUTE);
    hear("line_1", ALERT_FIRING, T0);
    assert_told("a news firing line_1\n");
    reload_with(LINES("a"));
    core_tick(core, T0 + 30 * MINUTE);
    assert_told("");
    hear("line_1", ALERT_RESOLVED, T0 + 31 * MINUTE);
    assert_told("a news resolved line_1\n");
    assert_int_equal(core_stats(core).groups, 0);
    close_core();
}

/* It is over when the routes change, and its end was not told yet. */
static void test_end_that_is_owed_over_a_reload(void **state)
{
    (void)state;
    open_with("\"channels\":[\"a\"],\"group_wait\":\"0s\",\"group_interval\":\"5m\"");
    hear("line_1", ALERT_FIRING, T0);
    hear("line_1", ALERT_RESOLVED, T0 + 1000);
    assert_told("a news firing line_1\n");
    reload_with(LINES("c"));
    core_tick(core, T0 + 6 * MINUTE);
    assert_told("a news resolved line_1\n");
    close_core();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_version_2_without_its_route),
        cmocka_unit_test(test_moved_by_a_reload),
        cmocka_unit_test(test_moved_by_a_reload_without_the_route),
        cmocka_unit_test(test_moved_to_the_same_channel),
        cmocka_unit_test(test_end_that_is_owed_over_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
