/* What no scenario shows: a flood, a clock that goes back, a memory that is full, files that are
 * bad. */
#include "core.h"
#include "limit.h"
#include "memory_read.h"
#include "notification_text.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 INT64_C(1763805600000)

static struct config *config;
static struct settings *settings;
static struct core *core;
static struct notification *last; /* what was told last, and how many in all */
static size_t n_told;

static void on_notification(void *self, size_t channel, struct notification *notification)
{
    (void)self;
    (void)channel;
    notification_close(last);
    last = notification;
    n_told++;
}

static const struct core_handlers handlers = {on_notification};

/* `channel`, `route` and `root` are more members of these objects, with a comma before each. */
static void begin_channel(const char *channel, const char *route, const char *root)
{
    char text[1024];
    void *out;

    snprintf(text, sizeof text,
             "{\"channels\":{\"a\":{\"type\":\"log\"%s}},\"route\":{\"channels\":[\"a\"]%s}%s}",
             channel, route, root);
    assert_int_equal(config_open_text(&config, "test", text), 0);
    assert_int_equal(settings_configure(&out, config_root(config)), 0);
    assert_true(config_check(config));
    settings = out;
    n_told = 0;
    last = NULL;
    assert_int_equal(core_open(&core, settings, &handlers, NULL), 0);
}

static void begin(const char *route, const char *root)
{
    begin_channel("", route, root);
}

static void end(void)
{
    core_close(core);
    notification_close(last);
    settings_discard(settings);
    config_close(config);
}

static void hear_alert(const char *device, enum alert_state state, enum alert_severity severity,
                       int64_t time_ms)
{
    struct topic topic = {.kind = TOPIC_ALERT, .location = "hall", .name = "lost"};
    const struct alert alert = {.state = state,
                                .severity = severity,
                                .since_ms = time_ms,
                                .message = "no signal",
                                .rule = "lost",
                                .episode = 1};

    snprintf(topic.device, sizeof topic.device, "%s", device);
    core_tick(core, time_ms);
    assert_int_equal(core_alert(core, &topic, &alert, false, time_ms), 0);
}

static void hear_many(int n, enum alert_state state, int64_t time_ms)
{
    char device[32];

    for (int i = 0; i < n; i++) {
        snprintf(device, sizeof device, "sensor_%05d", i);
        hear_alert(device, state, i % 1000 == 7 ? ALERT_CRITICAL : ALERT_WARNING, time_ms + i / 10);
    }
}

/* Ten thousand at once, and all over a minute later: two notifications. */
static void test_flood(void **state)
{
    struct buffer text = {0};

    (void)state;
    begin(",\"group_wait\":\"5s\",\"group_interval\":\"1m\"", "");
    hear_many(10000, ALERT_FIRING, T0);
    core_tick(core, T0 + 5000);
    assert_int_equal(n_told, 1);
    assert_int_equal(notification_count(last), 10000);
    assert_int_equal(last->n_items, NOTIFICATION_ALERTS_MAX);
    assert_int_equal(last->items[0].severity, ALERT_CRITICAL); /* the gravest, the newest first */
    assert_string_equal(last->items[0].topic.device, "sensor_09007");
    assert_int_equal(last->items[10].severity, ALERT_WARNING);
    notification_text(last, &text);
    assert_non_null(strstr(text.data, "hall: 10000 firing\n"));
    assert_non_null(strstr(text.data, "\n- and 9950 more"));
    assert_true(text.size < 10000);
    hear_many(10000, ALERT_RESOLVED, T0 + 60000);
    core_tick(core, T0 + 120000);
    assert_int_equal(n_told, 2);
    assert_int_equal(last->counts[ITEM_RESOLVED], 10000);
    assert_int_equal(core_stats(core).groups, 0);
    buffer_free(&text);
    end();
}

/* More than it remembers: the oldest go, and are counted where they would have been told. */
static void test_more_than_it_remembers(void **state)
{
    struct buffer text = {0};

    (void)state;
    begin(",\"group_wait\":\"5s\"", ",\"remember\":1000");
    hear_many(10000, ALERT_FIRING, T0);
    core_tick(core, T0 + 6000);
    assert_int_equal(n_told, 1);
    assert_int_equal(notification_count(last), 1000);
    assert_int_equal(last->forgotten, 9000);
    assert_int_equal(core_stats(core).forgotten, 9000);
    assert_int_equal(core_stats(core).known, 1000);
    notification_text(last, &text);
    assert_non_null(strstr(text.data, "1000 firing, 9000 older for which there was no room"));
    buffer_free(&text);
    end();
}

/* Resolved ones go first. */
static void test_resolved_ones_are_forgotten_first(void **state)
{
    (void)state;
    begin(",\"group_wait\":\"0s\",\"group_interval\":\"0s\"", ",\"remember\":3");
    hear_alert("a", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("b", ALERT_FIRING, ALERT_WARNING, T0 + 1);
    hear_alert("b", ALERT_RESOLVED, ALERT_WARNING, T0 + 2);
    hear_alert("c", ALERT_FIRING, ALERT_WARNING, T0 + 3);
    hear_alert("d", ALERT_FIRING, ALERT_WARNING, T0 + 4);
    assert_int_equal(core_stats(core).forgotten, 0);
    hear_alert("a", ALERT_RESOLVED, ALERT_WARNING, T0 + 5);
    assert_int_equal(n_told, 6);
    end();
}

/* The clock is set back an hour: what was to come in ten seconds comes in ten seconds. */
static void test_clock_goes_back(void **state)
{
    const int64_t back_ms = 60 * 60 * 1000;

    (void)state;
    begin(",\"group_wait\":\"10s\",\"escalate\":[{\"after\":\"1m\",\"channels\":[\"a\"]}]", "");
    hear_alert("a", ALERT_FIRING, ALERT_WARNING, T0);
    core_tick(core, T0 - back_ms);
    core_tick(core, T0 - back_ms + 9999);
    assert_int_equal(n_told, 0);
    core_tick(core, T0 - back_ms + 10000);
    assert_int_equal(n_told, 1);
    core_tick(core, T0 - 2 * back_ms);
    core_tick(core, T0 - 2 * back_ms + 59000);
    assert_int_equal(n_told, 1);
    core_tick(core, T0 - 2 * back_ms + 60000);
    assert_int_equal(n_told, 2);
    assert_int_equal(last->kind, NOTIFICATION_ESCALATION);
    end();
}

/* So does the hour of a limit: what comes after an hour has passed is told. */
static void test_clock_goes_back_under_a_limit(void **state)
{
    const int64_t set_ms = T0 - 10 * LIMIT_SPAN_MS;

    (void)state;
    begin_channel(",\"max_per_hour\":1", ",\"group_wait\":\"0s\",\"group_by\":[\"device\"]", "");
    hear_alert("a", ALERT_FIRING, ALERT_WARNING, T0);
    core_tick(core, set_ms);
    hear_alert("b", ALERT_FIRING, ALERT_WARNING, set_ms + LIMIT_SPAN_MS - 1);
    assert_int_equal(n_told, 1);
    core_tick(core, set_ms + LIMIT_SPAN_MS);
    assert_int_equal(n_told, 2);
    assert_int_equal(last->kind, NOTIFICATION_SUMMARY);
    hear_alert("c", ALERT_FIRING, ALERT_WARNING, set_ms + 2 * LIMIT_SPAN_MS);
    assert_int_equal(n_told, 3);
    end();
}

/* And the calm that ends flapping. */
static void test_clock_goes_back_while_flapping(void **state)
{
    const int64_t set_ms = T0 - 10 * LIMIT_SPAN_MS;
    size_t before;

    (void)state;
    begin(",\"group_wait\":\"0s\",\"group_interval\":\"0s\"",
          ",\"flapping\":{\"changes\":3,\"window\":\"10m\",\"calm\":\"10m\"}");
    for (int i = 0; i < 3; i++) {
        hear_alert("a", ALERT_FIRING, ALERT_WARNING, T0 + 2000 * i);
        hear_alert("a", ALERT_RESOLVED, ALERT_WARNING, T0 + 2000 * i + 1000);
    }
    core_tick(core, set_ms);
    before = n_told;
    core_tick(core, set_ms + 601000);
    assert_int_equal(n_told, before + 1);
    end();
}

/* What is known is not told, but taken back. */
static void test_known(void **state)
{
    const struct topic topic = {
        .kind = TOPIC_ALERT, .location = "hall", .device = "a", .name = "lost"};
    const struct alert alert = {.state = ALERT_FIRING,
                                .severity = ALERT_WARNING,
                                .since_ms = T0,
                                .message = "",
                                .rule = "lost",
                                .episode = 1};

    (void)state;
    begin(",\"group_wait\":\"0s\",\"group_interval\":\"0s\"", "");
    assert_int_equal(core_alert(core, &topic, &alert, true, T0), 0);
    assert_int_equal(n_told, 0);
    hear_alert("a", ALERT_RESOLVED, ALERT_WARNING, T0 + 1);
    assert_int_equal(n_told, 1);
    end();
}

static void test_lives(void **state)
{
    struct silence silence = {.name = "s", .until_ms = T0 + 60000, .by = "anna"};
    size_t lives[CORE_LIVES];
    struct topic topic = {.kind = TOPIC_ALERT, .location = "hall", .name = "lost"};

    (void)state;
    begin(",\"group_wait\":\"0s\"", ",\"inhibit\":[{\"source\":{\"device\":\"gate\"},\"target\":{"
                                    "\"device\":\"meter_*\"}}]");
    silence.match.device = strdup("silent_*");
    assert_int_equal(core_silence(core, &silence), 0);
    hear_alert("gate", ALERT_FIRING, ALERT_CRITICAL, T0);
    hear_alert("meter_1", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("silent_1", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("tank", ALERT_STALE, ALERT_WARNING, T0);
    hear_alert("taken", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("over", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("over", ALERT_RESOLVED, ALERT_WARNING, T0 + 1);
    strcpy(topic.device, "taken");
    assert_int_equal(core_acknowledge(core, &topic, "anna", NULL, T0 + 2), 0);
    core_count(core, T0 + 2, lives);
    assert_int_equal(lives[CORE_FIRING], 1);
    assert_int_equal(lives[CORE_INHIBITED], 1);
    assert_int_equal(lives[CORE_SILENCED], 1);
    assert_int_equal(lives[CORE_STALE], 1);
    assert_int_equal(lives[CORE_ACKNOWLEDGED], 1);
    assert_int_equal(lives[CORE_RESOLVED], 1);
    end();
}

/* ---- files ---- */

static void drop_pending(void *self, const char *channel, struct notification *notification)
{
    (void)channel;
    (*(size_t *)self)++;
    notification_close(notification);
}

#define HEAD "{\"memory\":{\"version\":2,\"time\":1,\"serial\":1}}\n"
#define END "{\"end\":{}}\n"

static void test_bad_files(void **state)
{
    static const char *const bad[][2] = {
        {"", "the end is missing"},
        {HEAD, "the end is missing"},
        {"{\"version\":1,\"alerts\":[],\"pending\":[]}", "not written by the alerter"},
        {"\x89PNG\r\n\x1a\n", "not written by the alerter"},
        {"[]", "not written by the alerter"},
        {"{\"end\":{}}", "not written by the alerter"},
        {"{\"memory\":7}", "not written by the alerter"},
        {"{\"memory\":{\"version\":1}}", "version 1 is not known"},
        {"{\"memory\":{\"version\":4,\"new\":1}}",
         "newer program: version 4, and this one knows 3"},
        {"{\"memory\":{\"version\":3,\"time\":1,\"serial\":1}}\n" END, "checksum is missing"},
        {HEAD "{\"end\":{\"crc\":1}}\n", "checksum is another"},
        {HEAD END END, "something follows"},
        {"{\"memory\":{\"version\":2}}\n" END, "time"},
        {HEAD "{\"more\":{}}\n" END, "an unknown line"},
        {HEAD "{\"group\":{}}\n" END, "route"},
        {HEAD "{\"alert\":{\"location\":\"A\"}}\n" END, "location"},
        {HEAD
         "{\"alert\":{\"location\":\"a\",\"device\":\"b\",\"rule\":\"c\",\"state\":\"burning\","
         "\"severity\":\"info\",\"episode\":1,\"since\":1,\"message\":\"\"}}\n" END,
         "unknown word"},
        {HEAD "{\"alert\":{\"location\":\"a\",\"device\":\"b\",\"rule\":\"c\",\"state\":\"firing\","
              "\"severity\":\"info\",\"episode\":1,\"since\":1,\"message\":\"\",\"members\":[{"
              "\"group\":3,\"told\":1,\"step\":0,\"first\":1,\"last\":1}]}}\n" END,
         "no such group"},
    };
    char path[] = "/tmp/test_core_XXXXXX", error[256];
    size_t n_pending = 0;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin("", "");
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i][0], strlen(bad[i][0]), 0), strlen(bad[i][0]));
        assert_int_equal(memory_load(path, core, drop_pending, &n_pending, error, sizeof error),
                         -EBADMSG);
        if (!strstr(error, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], error);
        end();
    }
    close(fd);
    remove(path);
    begin("", "");
    assert_int_equal(memory_load(path, core, drop_pending, &n_pending, error, sizeof error),
                     -ENOENT);
    end();
}

/* What the configuration has no room for any more costs nothing else: a limit that is gone lets go
 * of what it held, and silences beyond the largest number are left out. */
static void test_other_configuration(void **state)
{
    struct memory_writer writer;
    char path[] = "/tmp/test_core_XXXXXX", error[256] = "";
    size_t n_pending = 0;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    begin_channel(",\"max_per_hour\":1", ",\"group_wait\":\"0s\",\"group_by\":[\"device\"]", "");
    for (int i = 0; i < SILENCES_MAX; i++) {
        struct silence silence = {.until_ms = T0 + 60000, .by = "anna"};

        snprintf(silence.name, sizeof silence.name, "s%d", i);
        silence.match.device = strdup("other");
        assert_int_equal(core_silence(core, &silence), 0);
    }
    hear_alert("a", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("b", ALERT_FIRING, ALERT_WARNING, T0);
    assert_int_equal(n_told, 1);
    memory_begin(&writer, core);
    assert_int_equal(memory_save(&writer, path), 0);
    end();

    begin(",\"group_wait\":\"0s\",\"group_by\":[\"device\"]",
          ",\"silences\":{\"more\":{\"until\":\"2030-01-01 00:00\",\"match\":{\"device\":\"x\"}}}");
    assert_int_equal(memory_load(path, core, drop_pending, &n_pending, error, sizeof error), 0);
    assert_int_equal(core_stats(core).silences, SILENCES_MAX);
    core_tick(core, T0 + 1);
    assert_int_equal(n_told, 1);
    assert_int_equal(last->kind, NOTIFICATION_SUMMARY);
    assert_int_equal(last->held, 1);
    end();
    remove(path);
}

/* With all that there is in it: groups, alerts, silences, a limit that holds, what is pending. */
static void write_whole(struct buffer *out)
{
    struct silence silence = {.name = "s", .until_ms = T0 + 60000, .by = "anna"};
    struct memory_writer writer;
    char path[] = "/tmp/test_core_XXXXXX", block[4096];
    int fd = mkstemp(path);
    ssize_t size;

    assert_true(fd >= 0);
    begin_channel(",\"max_per_hour\":1", ",\"group_wait\":\"0s\",\"group_by\":[\"device\"]", "");
    silence.match.device = strdup("other");
    assert_int_equal(core_silence(core, &silence), 0);
    hear_alert("a", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("b", ALERT_FIRING, ALERT_WARNING, T0);
    memory_begin(&writer, core);
    memory_add(&writer, "a", last);
    assert_int_equal(memory_save(&writer, path), 0);
    end();
    close(fd);
    fd = open(path, O_RDONLY);
    while ((size = read(fd, block, sizeof block)) > 0)
        buffer_append(out, block, (size_t)size);
    close(fd);
    remove(path);
}

static int read_damaged(char *data, size_t size, size_t *n_pending)
{
    char error[256] = "";
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof error};
    FILE *file = fmemopen(data, size, "r");
    int rc;

    assert_non_null(file);
    rc = memory_read(file, core, drop_pending, n_pending, &in);
    fclose(file);
    assert_true(rc == 0 || *error);
    return rc;
}

/* Cut at each byte, or with any bit turned over: nothing of it is believed. */
static void test_damaged_files(void **state)
{
    struct buffer whole = {0};
    size_t n_pending = 0;

    (void)state;
    write_whole(&whole);
    begin("", "");
    for (size_t size = 1; size < whole.size - 1; size++)
        if (read_damaged(whole.data, size, &n_pending) != -EBADMSG)
            fail_msg("cut after %zu of %zu bytes, it is taken", size, whole.size);
    for (size_t i = 0; i < 8 * whole.size; i++) {
        whole.data[i / 8] ^= (char)(1 << i % 8);
        if (read_damaged(whole.data, whole.size, &n_pending) != -EBADMSG)
            fail_msg("with bit %zu of byte %zu turned over, it is taken", i % 8, i / 8);
        whole.data[i / 8] ^= (char)(1 << i % 8);
    }
    assert_int_equal(n_pending, 0);
    assert_int_equal(core_stats(core).known, 0);
    assert_int_equal(read_damaged(whole.data, whole.size, &n_pending), 0);
    assert_int_equal(core_stats(core).known, 2);
    end();
    buffer_free(&whole);
}

static void keep_pending(void *self, const char *channel, struct notification *notification)
{
    (void)self;
    assert_string_equal(channel, "a");
    notification_close(last);
    last = notification;
    n_told++;
}

/* What the limit of a channel held back is told by another one where the channel is no more. */
static void test_held_by_a_channel_that_is_no_more(void **state)
{
    static const char other[] = "{\"channels\":{\"b\":{\"type\":\"log\"}},\"route\":{\"channels\":["
                                "\"b\"],\"group_wait\":\"0s\",\"group_by\":[\"device\"]}}";
    struct memory_writer writer;
    char path[] = "/tmp/test_core_XXXXXX", error[256] = "";
    void *out;

    (void)state;
    close(mkstemp(path));
    begin_channel(",\"max_per_hour\":1", ",\"group_wait\":\"0s\",\"group_by\":[\"device\"]", "");
    hear_alert("a", ALERT_FIRING, ALERT_WARNING, T0);
    hear_alert("b", ALERT_FIRING, ALERT_WARNING, T0);
    assert_int_equal(n_told, 1);
    memory_begin(&writer, core);
    assert_int_equal(memory_save(&writer, path), 0);
    end();
    assert_int_equal(config_open_text(&config, "test", other), 0);
    assert_int_equal(settings_configure(&out, config_root(config)), 0);
    settings = out;
    last = NULL;
    n_told = 0;
    assert_int_equal(core_open(&core, settings, &handlers, NULL), 0);
    assert_int_equal(memory_load(path, core, keep_pending, NULL, error, sizeof error), 0);
    assert_int_equal(n_told, 1);
    assert_int_equal(last->kind, NOTIFICATION_SUMMARY);
    assert_int_equal(last->held, 1);
    assert_string_equal(last->items[0].topic.device, "b");
    assert_true(*last->id);
    end();
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_more_than_it_remembers),
        cmocka_unit_test(test_resolved_ones_are_forgotten_first),
        cmocka_unit_test(test_clock_goes_back),
        cmocka_unit_test(test_clock_goes_back_under_a_limit),
        cmocka_unit_test(test_clock_goes_back_while_flapping),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_held_by_a_channel_that_is_no_more),
        cmocka_unit_test(test_other_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
