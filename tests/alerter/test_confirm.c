/* What becomes of alerts that the broker does not show any more when it is there again, also where
 * the program is killed and started in between. */
#include "core_stand.h"

#define HOUR (60 * MINUTE)

#define CONFIG                                                                            \
    "{\"channels\":{\"a\":{\"type\":\"log\"},\"b\":{\"type\":\"log\"}},"                  \
    "\"route\":{\"channels\":[\"a\"],\"group_by\":[\"device\"],\"group_wait\":\"0s\","    \
    "\"group_interval\":\"0s\",\"repeat_interval\":\"1h\","                               \
    "\"escalate\":[{\"after\":\"30m\",\"channels\":[\"b\"]}]},"                           \
    "\"inhibit\":[{\"source\":{\"device\":\"gate\"},\"target\":{\"device\":\"meter_*\"}," \
    "\"grace\":\"1m\"}]}"

static int64_t now_ms;

static int begin(void **state)
{
    (void)state;
    told[0] = '\0';
    now_ms = T0;
    open_core(CONFIG);
    return 0;
}

static int end(void **state)
{
    (void)state;
    close_core();
    return 0;
}

static void assert_told(const char *expected)
{
    assert_string_equal(told, expected);
    told[0] = '\0';
}

static void no_pending(void *self, const char *channel, struct notification *notification)
{
    (void)self;
    (void)notification;
    fail_msg("nothing is pending, but for %s", channel);
}

static void kill_and_restart(void)
{
    char path[] = "/tmp/test_confirm_XXXXXX", error[256] = "";

    save_core(path);
    core_close(core);
    assert_int_equal(core_open(&core, settings, &handlers, NULL), 0);
    assert_int_equal(memory_load(path, core, no_pending, NULL, error, sizeof error), 0);
    remove(path);
}

static void pass(int64_t ms)
{
    int64_t until_ms = now_ms + ms;

    while (core_next_ms(core) < until_ms)
        core_tick(core, core_next_ms(core));
    core_tick(core, until_ms);
    now_ms = until_ms;
}

static void hear(const char *device, enum alert_state state, uint64_t episode, int64_t since_ms)
{
    struct topic topic = {.kind = TOPIC_ALERT, .location = "hall", .name = "lost"};
    const struct alert alert = {.state = state,
                                .severity = ALERT_WARNING,
                                .since_ms = since_ms,
                                .message = "",
                                .rule = "lost",
                                .episode = episode};

    snprintf(topic.device, sizeof topic.device, "%s", device);
    assert_int_equal(core_alert(core, &topic, &alert, false, now_ms), 0);
}

/* The link goes and comes again; what is `shown` is heard then. A minute later it counts. */
static size_t reconnect(const char *shown)
{
    core_doubt(core);
    if (shown)
        hear(shown, ALERT_FIRING, 1, T0);
    pass(MINUTE);
    return core_give_up(core, now_ms);
}

static void test_not_shown_is_stale_and_not_repeated(void **state)
{
    (void)state;
    hear("kept", ALERT_FIRING, 1, T0);
    hear("ghost", ALERT_FIRING, 1, T0);
    assert_told("a news firing kept\na news firing ghost\n");
    assert_int_equal(reconnect("kept"), 1);
    assert_told("a news stale ghost\n");
    kill_and_restart();
    pass(90 * MINUTE); /* an hour after it was escalated */
    assert_told("b escalation firing kept\nb escalation stale ghost\na repeat firing kept\n"
                "b repeat firing kept\n");
    pass(10 * HOUR);
    assert_null(strstr(told, "ghost"));
    assert_int_equal(core_stats(core).lost_alerts, 0); /* of this life */
}

static void test_announced_again_it_fires_again(void **state)
{
    (void)state;
    hear("ghost", ALERT_FIRING, 1, T0);
    reconnect(NULL);
    assert_told("a news firing ghost\na news stale ghost\n");
    kill_and_restart();
    hear("ghost", ALERT_FIRING, 1, T0);
    assert_told("a news firing ghost\n");
    pass(90 * MINUTE); /* an hour after it was escalated */
    assert_told("b escalation firing ghost\na repeat firing ghost\nb repeat firing ghost\n");
    reconnect(NULL); /* and is lost again, which is told again */
    assert_told("a news stale ghost\nb news stale ghost\n");
    hear("ghost", ALERT_RESOLVED, 1, now_ms);
    assert_told("a news resolved ghost\nb news resolved ghost\n");
}

static void test_who_took_it_in_hand_hears_of_it(void **state)
{
    const struct topic topic = {
        .kind = TOPIC_ALERT, .location = "hall", .device = "ghost", .name = "lost"};

    (void)state;
    hear("ghost", ALERT_FIRING, 1, T0);
    assert_int_equal(core_acknowledge(core, &topic, "anna", NULL, now_ms), 0);
    reconnect(NULL);
    assert_told("a news firing ghost\na news acknowledged ghost\na news stale ghost\n");
    hear("ghost", ALERT_FIRING, 1, T0);
    assert_told("a news acknowledged ghost\n");
}

/* A broker that went back to an old save shows an episode that was over long ago. */
static void test_an_older_episode_confirms_nothing(void **state)
{
    (void)state;
    hear("ghost", ALERT_FIRING, 2, T0);
    core_doubt(core);
    hear("ghost", ALERT_RESOLVED, 1, T0 - HOUR);
    assert_int_equal(core_give_up(core, now_ms), 1);
    assert_told("a news firing ghost\na news stale ghost\n");
}

/* What the rules said is stale is no doubt either. */
static void test_a_stale_alert_is_confirmed_by_itself(void **state)
{
    (void)state;
    hear("dry", ALERT_STALE, 1, T0);
    core_doubt(core);
    hear("dry", ALERT_STALE, 1, T0);
    assert_int_equal(core_give_up(core, now_ms), 0);
    assert_told("a news stale dry\n");
    assert_int_equal(reconnect(NULL), 1);
    hear("dry", ALERT_STALE, 1, T0);
    pass(2 * HOUR);
    assert_non_null(strstr(told, "a repeat stale dry\n"));
}

static void test_a_lost_source_inhibits_nothing(void **state)
{
    (void)state;
    hear("gate", ALERT_FIRING, 1, T0);
    hear("meter_1", ALERT_FIRING, 1, T0);
    assert_told("a news firing gate\n");
    assert_int_equal(reconnect("meter_1"), 1);
    assert_told("a news stale gate\n");
    kill_and_restart();
    pass(MINUTE);
    assert_told("a news firing meter_1\n");
}

static void silence(const char *name, const char *device)
{
    struct silence silence = {.until_ms = T0 + 24 * HOUR, .by = "anna"};

    snprintf(silence.name, sizeof silence.name, "%s", name);
    silence.match.device = strdup(device);
    assert_int_equal(core_silence(core, &silence), 0);
}

static void test_a_silence_that_was_lifted_meanwhile(void **state)
{
    (void)state;
    silence("one", "quiet_1");
    silence("two", "quiet_2");
    hear("quiet_1", ALERT_FIRING, 1, T0);
    hear("quiet_2", ALERT_FIRING, 1, T0);
    core_doubt(core);
    hear("quiet_1", ALERT_FIRING, 1, T0);
    hear("quiet_2", ALERT_FIRING, 1, T0);
    silence("two", "quiet_2");
    assert_int_equal(core_give_up(core, now_ms), 0);
    assert_told("a news firing quiet_1\n");
    assert_int_equal(core_stats(core).silences, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_not_shown_is_stale_and_not_repeated, begin, end),
        cmocka_unit_test_setup_teardown(test_announced_again_it_fires_again, begin, end),
        cmocka_unit_test_setup_teardown(test_who_took_it_in_hand_hears_of_it, begin, end),
        cmocka_unit_test_setup_teardown(test_an_older_episode_confirms_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_a_stale_alert_is_confirmed_by_itself, begin, end),
        cmocka_unit_test_setup_teardown(test_a_lost_source_inhibits_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_a_silence_that_was_lifted_meanwhile, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
