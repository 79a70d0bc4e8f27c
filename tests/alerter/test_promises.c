/* What the alerter promises, held against random hours: alerts, acknowledgements, silences,
 * deletions, kills, lost connections, clocks that are set.
 *
 * - An alert that fires and is not held is told to its channels in time.
 * - Nothing is told twice, and no end of what was not told before.
 * - Who was told that something fires is told of its end, once; afterwards all is still.
 * - What is acknowledged, silenced or over is not repeated and not escalated.
 * - No channel gets more in an hour than its limit.
 *
 * More of it: FIELDLINE_RUNS=100000 alerter_test_promises. One alone: FIELDLINE_SEED=n. */
#include "core.h"
#include "memory.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 INT64_C(1763805600000)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define WAIT_MS (10 * SECOND)
#define INTERVAL_MS MINUTE
#define GRACE_MS MINUTE
#define SLICE_MS (10 * SECOND)
/* What is held is looked at each minute. */
#define TOLD_WITHIN_MS (WAIT_MS + INTERVAL_MS + MINUTE + 2 * SLICE_MS)
#define LIMIT 3
#define EVENTS 300

enum { GATE, METER_1, METER_2, METER_3, TANK_1, TANK_2, DEVICES };
static const char *const devices[] = {"gate", "meter_1", "meter_2", "meter_3", "tank_1", "tank_2"};

/* The last two have a limit: what they hear comes late, and may be the end at first. */
enum { SHIFT, PHONE, BOTH, BOSS, FEW, PASSED, CHANNELS };

/* clang-format off */
#define CONFIG                                                                                     \
    "{\"channels\":{\"shift\":{\"type\":\"log\"},\"phone\":{\"type\":\"log\"},"                    \
    "\"both\":{\"type\":\"log\"},\"boss\":{\"type\":\"log\"},"                                     \
    "\"few\":{\"type\":\"log\",\"max_per_hour\":3,\"critical_passes\":false},"                     \
    "\"passed\":{\"type\":\"log\",\"max_per_hour\":3}},"                                           \
    "\"route\":{\"channels\":[\"shift\",\"both\",\"few\",\"passed\"],\"group_by\":[%s],"           \
    "\"group_wait\":\"10s\",\"group_interval\":\"1m\",\"repeat_interval\":\"%s\",\"quiet\":[%s],"  \
    "\"routes\":[{\"match\":{\"severity\":\"critical\"},"                                          \
    "\"channels\":[\"phone\",\"both\",\"few\",\"passed\"],"                                        \
    "\"escalate\":[{\"after\":\"5m\",\"channels\":[\"boss\"]}]}]},"                                \
    "\"quiet_hours\":{\"night\":{\"from\":\"12:00\",\"to\":\"14:00\"}},"                           \
    "\"inhibit\":[{\"source\":{\"device\":\"gate\"},\"target\":{\"device\":\"meter_*\"}}],"        \
    "\"flapping\":{\"changes\":%d}}"
/* clang-format on */

struct model { /* of an alert */
    struct alert alert;
    bool active, acknowledged, doubted, lost;
    int64_t over_ms;           /* all times but the alert's own are of a clock that is never set */
    int64_t since_ms;          /* from then on it is to be told */
    int64_t free_ms;           /* since when nothing holds it; -1 where something does */
    int64_t silenced_until_ms; /* wall clock */
};

struct heard { /* of an alert on a channel */
    bool open;
    int64_t at_ms;
    struct item last;
};

static struct world {
    uint64_t seed, random;
    struct config *config;
    struct settings *settings;
    struct core *core;
    int64_t now_ms, ahead_ms; /* the wall clock is as much ahead */
    struct model models[DEVICES];
    struct heard heard[CHANNELS][DEVICES];
    int64_t sent_ms[LIMIT]; /* of the limited channel, wall clock, shifted as it is set back */
    int64_t set_ms;         /* when the clock was set last; 0: never */
    bool flaps, at_end;
    uint64_t n_told;
    struct buffer trace;
} world;

static void fail_with(const char *what, int device, int channel)
{
    fprintf(stderr, "%s\n", buffer_string(&world.trace));
    fail_msg("seed %" PRIu64 ": %s: %s, channel %d at %" PRId64, world.seed, what, devices[device],
             channel, world.now_ms);
}

static int64_t wall_ms(void)
{
    return T0 + world.now_ms + world.ahead_ms;
}

static uint64_t draw(uint64_t n)
{
    world.random ^= world.random << 13;
    world.random ^= world.random >> 7;
    world.random ^= world.random << 17;
    return world.random % n;
}

static bool chance(unsigned percent)
{
    return draw(100) < percent;
}

/* ---- what holds an alert ---- */

static bool is_source(const struct model *gate)
{
    if (gate->active && !gate->lost)
        return true;
    return world.now_ms < gate->over_ms + GRACE_MS;
}

static bool is_quiet(const struct model *model)
{
    int64_t hour = wall_ms() % DAY / HOUR;

    return model->alert.severity != ALERT_CRITICAL && (hour == 12 || hour == 13) &&
           world.settings->route->quiet;
}

static bool is_held(int i)
{
    const struct model *model = &world.models[i];

    return wall_ms() < model->silenced_until_ms || is_quiet(model) ||
           (i >= METER_1 && i <= METER_3 && is_source(&world.models[GATE]));
}

static bool is_critical(const struct alert *alert)
{
    return alert->severity == ALERT_CRITICAL;
}

static bool routed_to(const struct model *model, int channel)
{
    return channel == BOTH || channel == (is_critical(&model->alert) ? PHONE : SHIFT);
}

/* ---- what is told ---- */

/* A repetition may come along with other alerts' news. */
static bool may_repeat(const struct heard *heard)
{
    int64_t repeat_ms = world.settings->route->repeat_ms;

    return repeat_ms > 0 &&
           (heard->at_ms <= world.set_ms || world.now_ms >= heard->at_ms + repeat_ms / 2);
}

static bool says_the_same(const struct heard *heard, const struct item *item)
{
    return heard->last.state == item->state && heard->last.severity == item->severity &&
           heard->last.episode == item->episode;
}

static void on_item(int channel, enum notification_kind kind, const struct item *item)
{
    int i = 0;
    struct heard *heard;
    struct model *model;
    bool end = item_is_end(item->state), again = kind == NOTIFICATION_REPEAT;

    while (strcmp(devices[i], item->topic.device) != 0)
        i++;
    heard = &world.heard[channel][i];
    model = &world.models[i];
    if (end && !heard->open && channel < FEW)
        fail_with("an end of what was never told", i, channel);
    if (again && !heard->open && channel < FEW)
        fail_with("repeats what was never told", i, channel);
    if ((again || kind == NOTIFICATION_ESCALATION) &&
        (!model->active || model->acknowledged || is_held(i) || (again && model->lost)))
        fail_with("repeated or escalated", i, channel);
    if (kind == NOTIFICATION_NEWS && !world.flaps && channel < FEW &&
        heard->at_ms >= model->since_ms && says_the_same(heard, item) && !may_repeat(heard))
        fail_with("told twice", i, channel);
    heard->open = !end;
    heard->at_ms = world.now_ms;
    heard->last = *item;
}

static void mind_limit(void)
{
    int64_t first_ms = world.sent_ms[0];

    memmove(world.sent_ms, world.sent_ms + 1, sizeof world.sent_ms - sizeof world.sent_ms[0]);
    world.sent_ms[LIMIT - 1] = wall_ms();
    if (wall_ms() < first_ms + HOUR)
        fail_with("more than the limit", 0, FEW);
}

static void on_notification(void *self, size_t channel, struct notification *n)
{
    (void)self;
    world.n_told++;
    buffer_format(&world.trace, "%10" PRId64 "    -> %s %s:", world.now_ms,
                  world.settings->channels[channel].name, notification_kind_name(n->kind));
    for (size_t i = 0; i < n->n_items; i++)
        buffer_format(&world.trace, " %s %s %s/%" PRIu64, n->items[i].topic.device,
                      alert_severity_name(n->items[i].severity), item_state_name(n->items[i].state),
                      n->items[i].episode);
    buffer_char(&world.trace, '\n');
    if (world.at_end)
        fail_with("told when all was over", 0, (int)channel);
    if (channel == FEW)
        mind_limit();
    for (size_t i = 0; i < n->n_items; i++)
        on_item((int)channel, n->kind, &n->items[i]);
    notification_close(n);
}

static const struct core_handlers handlers = {on_notification};

/* ---- time ---- */

static void mind_promise(int i)
{
    struct model *model = &world.models[i];
    bool free;

    if (wall_ms() >= model->silenced_until_ms)
        model->silenced_until_ms = 0; /* also where the clock is set back */
    free = model->active && !model->acknowledged && !model->lost && !is_held(i);

    if (!free)
        model->free_ms = -1;
    else if (model->free_ms < model->since_ms)
        model->free_ms = world.now_ms;
    if (!free || world.now_ms < model->free_ms + TOLD_WITHIN_MS)
        return;
    for (int channel = 0; channel < CHANNELS; channel++) {
        const struct heard *heard = &world.heard[channel][i];

        if (routed_to(model, channel) &&
            (!heard->open || (!world.flaps && heard->at_ms < model->since_ms)))
            fail_with("not told in time", i, channel);
    }
}

static void tick_until(int64_t until_ms)
{
    int64_t next_ms;

    while ((next_ms = core_next_ms(world.core)) < T0 + until_ms + world.ahead_ms) {
        if (next_ms > wall_ms())
            world.now_ms = next_ms - T0 - world.ahead_ms;
        core_tick(world.core, wall_ms());
    }
    world.now_ms = until_ms;
    core_tick(world.core, wall_ms());
}

static void pass(int64_t ms)
{
    int64_t until_ms = world.now_ms + ms;

    while (world.now_ms < until_ms) {
        int64_t slice_ms = world.now_ms + SLICE_MS;

        tick_until(slice_ms < until_ms ? slice_ms : until_ms);
        for (int i = 0; i < DEVICES; i++)
            mind_promise(i);
    }
}

/* ---- what happens ---- */

static struct topic topic_of(int i)
{
    struct topic topic = {.kind = TOPIC_ALERT, .location = "hall", .name = "r"};

    snprintf(topic.device, sizeof topic.device, "%s", devices[i]);
    return topic;
}

/* What is dated before what is known may be taken for late, after the clock was set back. */
static void publish(int i, const struct alert *alert)
{
    struct model *model = &world.models[i];
    struct model before = *model;
    struct topic topic = topic_of(i);
    uint64_t no_news = core_stats(world.core).no_news;
    bool active = alert->state != ALERT_RESOLVED, graver = alert->severity > model->alert.severity;

    if (active && (!model->active || alert->episode != model->alert.episode || graver ||
                   is_critical(alert) != is_critical(&model->alert) ||
                   (model->lost && alert->state == ALERT_FIRING)))
        model->since_ms = world.now_ms;
    if (alert->episode != model->alert.episode || graver)
        model->acknowledged = false;
    if (model->active && !active)
        model->over_ms = world.now_ms;
    model->alert = *alert;
    model->active = active;
    model->lost = model->doubted = false;
    buffer_format(&world.trace, "%10" PRId64 " %s %s %s/%" PRIu64 "\n", world.now_ms, devices[i],
                  alert_severity_name(alert->severity), alert_state_name(alert->state),
                  alert->episode);
    assert_int_equal(core_alert(world.core, &topic, alert, false, wall_ms()), 0);
    if (core_stats(world.core).no_news == no_news)
        return;
    if (world.set_ms == 0 && !before.doubted)
        fail_with("taken for old", i, 0);
    if (alert->since_ms >= before.alert.since_ms)
        return;
    *model = before;
    if (alert->state == (before.lost ? ALERT_STALE : before.alert.state))
        model->lost = model->doubted = false; /* late, but it shows that it is there */
}

static void happen_alert(int i)
{
    struct model *model = &world.models[i];
    struct alert alert = model->alert;

    alert.message = "";
    alert.rule = "r";
    if (!model->active || chance(10)) {
        alert.episode++;
        alert.state = chance(90) ? ALERT_FIRING : ALERT_STALE;
        alert.severity = (enum alert_severity)draw(3);
        alert.since_ms = wall_ms();
    } else if (chance(30)) {
        enum alert_severity before = alert.severity;

        while (alert.severity == before)
            alert.severity = (enum alert_severity)draw(3);
    } else {
        alert.state =
            chance(70) ? ALERT_RESOLVED : (alert.state == ALERT_STALE ? ALERT_FIRING : ALERT_STALE);
        alert.since_ms = wall_ms();
    }
    publish(i, &alert);
}

static void happen_removal(int i)
{
    struct topic topic = topic_of(i);
    struct model *model = &world.models[i];

    if (model->active)
        model->over_ms = world.now_ms;
    model->active = model->lost = model->acknowledged = false;
    buffer_format(&world.trace, "%10" PRId64 " %s removed\n", world.now_ms, devices[i]);
    core_remove(world.core, &topic, wall_ms());
}

static void happen_acknowledgement(int i)
{
    struct topic topic = topic_of(i);
    struct model *model = &world.models[i];

    if (!model->active)
        return;
    model->acknowledged = true;
    buffer_format(&world.trace, "%10" PRId64 " %s acknowledged\n", world.now_ms, devices[i]);
    assert_int_equal(core_acknowledge(world.core, &topic, "anna", NULL, wall_ms()), 0);
}

static void happen_silence(int i)
{
    struct silence silence = {.until_ms = wall_ms() + (int64_t)draw(2 * HOUR), .by = "anna"};
    struct model *model = &world.models[i];

    snprintf(silence.name, sizeof silence.name, "%s", devices[i]);
    if (wall_ms() < model->silenced_until_ms) {
        model->silenced_until_ms = 0;
        buffer_format(&world.trace, "%10" PRId64 " %s spoken of\n", world.now_ms, devices[i]);
        core_lift(world.core, silence.name, wall_ms());
        return;
    }
    model->silenced_until_ms = silence.until_ms;
    silence.match.device = strdup(devices[i]);
    buffer_format(&world.trace, "%10" PRId64 " %s silenced\n", world.now_ms, devices[i]);
    assert_int_equal(core_silence(world.core, &silence), 0);
}

static void happen_reconnect(void)
{
    core_doubt(world.core);
    buffer_format(&world.trace, "%10" PRId64 " link\n", world.now_ms);
    for (int i = 0; i < DEVICES; i++) {
        world.models[i].doubted = world.models[i].active;
        if (world.models[i].active && chance(70))
            publish(i, &world.models[i].alert);
    }
    pass(MINUTE);
    for (int i = 0; i < DEVICES; i++) {
        struct model *model = &world.models[i];

        model->silenced_until_ms = 0;
        if (!model->doubted || !model->active)
            continue;
        model->lost = true;
        model->over_ms = world.now_ms;
        buffer_format(&world.trace, "%10" PRId64 " %s lost\n", world.now_ms, devices[i]);
    }
    core_give_up(world.core, wall_ms());
}

static void no_pending(void *self, const char *channel, struct notification *notification)
{
    (void)self;
    (void)notification;
    fail_msg("nothing is pending, but for %s", channel);
}

static void happen_kill(void)
{
    struct memory_writer writer;
    char path[] = "/tmp/test_promises_XXXXXX", error[256] = "";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    memory_begin(&writer, world.core);
    assert_int_equal(memory_save(&writer, path), 0);
    core_close(world.core);
    buffer_format(&world.trace, "%10" PRId64 " killed\n", world.now_ms);
    assert_int_equal(core_open(&world.core, world.settings, &handlers, NULL), 0);
    if (memory_load(path, world.core, no_pending, NULL, error, sizeof error) < 0)
        fail_msg("seed %" PRIu64 ": %s: %s", world.seed, path, error);
    remove(path);
}

static void happen_clock(void)
{
    int64_t step_ms = (int64_t)draw(2 * HOUR) - HOUR;

    buffer_format(&world.trace, "%10" PRId64 " clock %+" PRId64 "\n", world.now_ms, step_ms);
    world.set_ms = world.now_ms;
    world.ahead_ms += step_ms;
    for (int i = 0; i < LIMIT && step_ms < -SECOND; i++)
        world.sent_ms[i] += step_ms;
    for (int i = 0; i < DEVICES && step_ms > 0; i++)
        world.models[i].over_ms -= step_ms; /* a grace is over as much earlier */
    core_tick(world.core, wall_ms());
}

static void happen(bool clocks)
{
    int i = (int)draw(DEVICES);
    uint64_t what = draw(100);

    if (what < 60)
        happen_alert(i);
    else if (what < 75)
        happen_acknowledgement(i);
    else if (what < 82)
        happen_silence(i);
    else if (what < 88)
        happen_removal(i);
    else if (what < 90)
        happen_reconnect();
    else if (what < 93)
        happen_kill();
    else if (what < 94 && clocks)
        happen_clock();
    pass((int64_t)(chance(50) ? draw(20 * SECOND) : chance(80) ? draw(5 * MINUTE) : draw(HOUR)));
}

/* ---- a run ---- */

static void begin(uint64_t seed)
{
    static const char *const by[] = {"\"device\"", "\"location\"", "\"location\",\"severity\"", ""};
    char text[2048];
    void *out;

    world = (struct world){.seed = seed, .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    for (int i = 0; i < LIMIT; i++)
        world.sent_ms[i] = T0 - DAY;
    for (int i = 0; i < DEVICES; i++) {
        world.models[i].free_ms = -1;
        world.models[i].over_ms = -DAY;
    }
    draw(2); /* the first ones of a small seed are much alike */
    world.flaps = chance(20);
    snprintf(text, sizeof text, CONFIG, by[draw(4)], chance(50) ? "30m" : "0s",
             chance(50) ? "\"night\"" : "", world.flaps ? 4 : 0);
    assert_int_equal(config_open_text(&world.config, "test", text), 0);
    assert_int_equal(settings_configure(&out, config_root(world.config)), 0);
    assert_true(config_check(world.config));
    world.settings = out;
    assert_int_equal(core_open(&world.core, world.settings, &handlers, NULL), 0);
    core_tick(world.core, wall_ms());
}

static void end(void)
{
    core_close(world.core);
    settings_discard(world.settings);
    config_close(world.config);
    buffer_free(&world.trace);
}

static void resolve_all(void)
{
    for (int i = 0; i < DEVICES; i++) {
        struct alert alert = world.models[i].alert;

        alert.state = ALERT_RESOLVED;
        alert.since_ms = wall_ms();
        if (world.models[i].active)
            publish(i, &alert);
    }
}

static void run(uint64_t seed)
{
    bool clocks;

    begin(seed);
    clocks = chance(30);
    for (int i = 0; i < EVENTS; i++)
        happen(clocks);
    resolve_all();
    tick_until(world.now_ms + 2 * DAY);
    for (int channel = 0; channel < CHANNELS; channel++)
        for (int i = 0; i < DEVICES; i++)
            if (world.heard[channel][i].open)
                fail_with("its end was not told", i, channel);
    world.at_end = true;
    tick_until(world.now_ms + 40 * DAY);
    assert_true(world.n_told > 20);
    end();
}

static void test_promises(void **state)
{
    const char *seed = getenv("FIELDLINE_SEED"), *runs = getenv("FIELDLINE_RUNS");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint64_t n = seed ? 1 : runs ? strtoull(runs, NULL, 10) : 80;

    (void)state;
    for (uint64_t i = 0; i < n; i++)
        run(first + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_promises)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
