/* The connection to a real mosquitto: two of ours on one loop, brokers that go and come back. */
#include "broker.h"
#include "clock.h"
#include "mqtt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_MS 15000
#define SMALL_OUTBOX (512 * 1024)

struct stand {
    struct broker broker;
    struct loop *loop;
    struct loop_timer *patience;
    struct mqtt *mqtt;
    int ups;
    int downs;
    int received;
    int lowest; /* number received */
    int wanted; /* the loop stops when so many were received */
    int last_number;
    int disorder; /* numbers that did not rise */
    int last_qos;
    int64_t gather_ms;
    char last_topic[128];
    char last_payload[256];
    bool last_retained;
    bool timed_out;
    int n_done; /* messages of which was told what came of them */
    int outcome;
    bool (*until)(const struct stand *stand);
};

static void check(struct stand *stand)
{
    if (stand->until && stand->until(stand))
        loop_stop(stand->loop);
}

static void on_up(void *self, bool session_present)
{
    (void)session_present;
    struct stand *stand = self;
    stand->ups++;
    check(stand);
}

static void on_down(void *self, const char *reason)
{
    struct stand *stand = self;
    assert_non_null(reason);
    stand->downs++;
    check(stand);
}

static void on_message(void *self, const struct mqtt_message *message)
{
    struct stand *stand = self;
    stand->received++;
    snprintf(stand->last_topic, sizeof stand->last_topic, "%s", message->topic);
    snprintf(stand->last_payload, sizeof stand->last_payload, "%.*s", (int)message->size,
             (const char *)message->payload);
    stand->last_retained = message->retained;
    int number = atoi(stand->last_payload);
    if (stand->received == 1 || number < stand->lowest)
        stand->lowest = number;
    stand->disorder += stand->received > 1 && number <= stand->last_number;
    stand->last_number = number;
    stand->last_qos = message->qos;
    check(stand);
}

static void on_patience(void *self)
{
    struct stand *stand = self;
    stand->timed_out = true;
    loop_stop(stand->loop);
}

static void on_tick(void *self)
{
    struct stand *stand = self;
    check(stand);
    loop_timer_set(stand->patience, loop_now(stand->loop) + 20);
}

/* Turns the loop until the condition holds. */
static void run_until(struct stand *stand, bool (*until)(const struct stand *stand))
{
    stand->until = until;
    stand->timed_out = false;
    struct loop_timer *limit;
    assert_int_equal(loop_timer_open(&limit, stand->loop, on_patience, stand), 0);
    loop_timer_set(limit, clock_now_ms() + PATIENCE_MS);
    loop_timer_set(stand->patience, clock_now_ms());
    assert_int_equal(loop_run(stand->loop), 0);
    loop_timer_close(limit);
    assert_false(stand->timed_out);
}

static bool is_up(const struct stand *stand)
{
    return stand->ups > 0 && mqtt_is_up(stand->mqtt);
}

static bool is_down(const struct stand *stand)
{
    return stand->downs > 0 && !mqtt_is_up(stand->mqtt);
}

static bool is_complete(const struct stand *stand)
{
    return stand->received >= stand->wanted;
}

static bool is_accounted_for(const struct stand *stand)
{
    return stand->received + (int)mqtt_stats(stand->mqtt).dropped == stand->wanted;
}

static bool is_bounded(const struct stand *stand)
{
    return mqtt_stats(stand->mqtt).queued_bytes <= SMALL_OUTBOX;
}

static bool is_idle(const struct stand *stand)
{
    return mqtt_is_idle(stand->mqtt);
}

static bool is_silent(const struct stand *stand)
{
    return mqtt_stats(stand->mqtt).silent_subscriptions == 1;
}

static void open_mqtt(struct stand *stand, const char *instance, size_t outbox_bytes)
{
    static const struct mqtt_handlers handlers = {.on_up = on_up, .on_down = on_down};
    struct mqtt_options options = {.url = stand->broker.url,
                                   .root = "iot",
                                   .instance = instance,
                                   .version = "test",
                                   .keep_alive_ms = 30000,
                                   .connect_timeout_ms = 2000,
                                   .backoff_first_ms = 20,
                                   .backoff_max_ms = 100,
                                   .outbox_bytes = outbox_bytes,
                                   .inbox_bytes = 4096,
                                   .gather_ms = stand->gather_ms};
    assert_int_equal(mqtt_open(&stand->mqtt, stand->loop, &options, &handlers, stand), 0);
}

static void begin(struct stand *stand, const char *acl)
{
    *stand = (struct stand){0};
    broker_open(&stand->broker, acl);
    assert_int_equal(loop_open(&stand->loop), 0);
    assert_int_equal(loop_timer_open(&stand->patience, stand->loop, on_tick, stand), 0);
}

static void end(struct stand *stand)
{
    mqtt_close(stand->mqtt, 1000);
    loop_timer_close(stand->patience);
    loop_close(stand->loop);
    broker_close(&stand->broker);
}

static void publish_numbers(struct stand *stand, int n)
{
    for (int i = 0; i < n; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(mqtt_publish_text(stand->mqtt, "iot/a/b/telemetry/n", text, false), 0);
    }
}

/* 4 KiB of inbox: the connection waits for the loop many times over. */
static void delivers_everything_through_a_small_inbox(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_subscribe(stand.mqtt, "iot/+/+/telemetry/+", 0, on_message, &stand);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_up);
    stand.wanted = 5000;
    publish_numbers(&stand, 5000);
    run_until(&stand, is_complete);
    run_until(&stand, is_idle);
    assert_int_equal(stand.received, 5000);
    assert_string_equal(stand.last_payload, "4999");
    assert_int_equal(mqtt_stats(stand.mqtt).dropped, 0);
    end(&stand);
}

/* In bursts, so that it begins and ends to gather several times. */
static void gathers_what_comes_close(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    stand.gather_ms = 5;
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_subscribe(stand.mqtt, "iot/+/+/telemetry/+", MQTT_AT_MOST_ONCE, on_message, &stand);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_up);
    for (int burst = 1; burst <= 5; burst++) {
        stand.wanted += burst * 40;
        stand.last_number = -1;
        publish_numbers(&stand, burst * 40);
        run_until(&stand, is_complete);
    }
    assert_int_equal(stand.received, 600);
    assert_int_equal(stand.disorder, 0);
    assert_int_equal(stand.last_qos, 0);
    end(&stand);
}

/* What was published while the broker was away arrives when it is back; the subscription too,
 * though the broker has forgotten it. */
static void survives_a_broker_that_is_killed(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_subscribe(stand.mqtt, "iot/+/+/telemetry/+", 0, on_message, &stand);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_up);
    for (int i = 0; i < 3; i++) {
        stand.downs = stand.ups = 0;
        broker_stop(&stand.broker);
        run_until(&stand, is_down);
        int before = stand.received;
        publish_numbers(&stand, 200);
        broker_start(&stand.broker);
        run_until(&stand, is_up);
        stand.wanted = before + 200;
        run_until(&stand, is_complete);
        run_until(&stand, is_idle);
    }
    struct mqtt_stats stats = mqtt_stats(stand.mqtt);
    assert_int_equal(stats.connects, 4);
    assert_int_equal(stats.dropped, 0);
    end(&stand);
}

static void starts_without_a_broker(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    broker_stop(&stand.broker);
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_down);
    broker_start(&stand.broker);
    run_until(&stand, is_up);
    assert_true(mqtt_stats(stand.mqtt).failures > 0);
    end(&stand);
}

static void drops_the_oldest_and_counts_it(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    broker_stop(&stand.broker);
    open_mqtt(&stand, "one", SMALL_OUTBOX);
    mqtt_subscribe(stand.mqtt, "iot/+/+/telemetry/+", 0, on_message, &stand);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_down);
    for (int i = 0; i < 5000; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        assert_int_equal(mqtt_publish_text(stand.mqtt, "iot/a/b/telemetry/n", number, false), 0);
    }
    run_until(&stand, is_bounded);
    broker_start(&stand.broker);
    stand.wanted = 5000;
    run_until(&stand, is_accounted_for);
    assert_in_range(mqtt_stats(stand.mqtt).dropped, 1, 4999);
    assert_in_range(stand.received, 1, 4999);
    assert_in_range(stand.lowest, 1000, 4999); /* it holds two thousand or so: the newest */
    end(&stand);
}

static void tells_of_its_birth_and_its_end(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    open_mqtt(&stand, "watcher", 8 << 20);
    mqtt_subscribe(stand.mqtt, "iot/_service/short/status", 0, on_message, &stand);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_up);
    struct stand other = stand;
    other.until = NULL;
    open_mqtt(&other, "short", 8 << 20);
    stand.wanted = 1;
    mqtt_start(other.mqtt);
    run_until(&stand, is_complete);
    assert_non_null(strstr(stand.last_payload, "\"state\":\"online\""));
    stand.wanted = 2;
    mqtt_close(other.mqtt, 1000);
    run_until(&stand, is_complete);
    assert_non_null(strstr(stand.last_payload, "\"state\":\"offline\""));
    end(&stand);
}

/* MQTT_LIVE: what is retained is not sent on subscribing, and what is published retained is told.
 */
static void marks_retained_commands(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_up);
    mqtt_publish_text(stand.mqtt, "iot/a/b/command/fan", "OLD", true);
    run_until(&stand, is_idle);
    mqtt_subscribe(stand.mqtt, "iot/a/b/command/+", MQTT_LIVE, on_message, &stand);
    mqtt_publish_text(stand.mqtt, "iot/a/b/command/fan", "NEW", true);
    stand.wanted = 1;
    run_until(&stand, is_complete);
    assert_string_equal(stand.last_payload, "NEW");
    assert_true(stand.last_retained);
    mqtt_publish_text(stand.mqtt, "iot/a/b/command/fan", "LIVE", false);
    stand.wanted = 2;
    run_until(&stand, is_complete);
    assert_false(stand.last_retained);
    end(&stand);
}

/* The broker grants the subscription and never honours it: only the echo tells. */
static void finds_a_silently_denied_subscription(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, "topic write #\ntopic read iot/_service/#\n");
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_subscribe(stand.mqtt, "iot/+/+/telemetry/+", 0, on_message, &stand);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_silent);
    end(&stand);
}

static void counts_a_refused_publish(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, "topic readwrite iot/#\n");
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_up);
    assert_int_equal(mqtt_publish_text(stand.mqtt, "elsewhere/a", "x", false), 0);
    run_until(&stand, is_idle);
    assert_int_equal(mqtt_stats(stand.mqtt).refused, 1);
    assert_int_equal(mqtt_stats(stand.mqtt).dropped, 1);
    assert_true(mqtt_publish_text(stand.mqtt, "iot/+/x", "x", false) < 0);
    end(&stand);
}

static void on_done(void *self, int outcome)
{
    struct stand *stand = self;
    stand->n_done++;
    stand->outcome = outcome;
}

static bool is_told(const struct stand *stand)
{
    return stand->n_done > 0;
}

static int publish_told(struct stand *stand, const char *topic, struct stand *self)
{
    struct mqtt_message message = {.topic = topic, .payload = "x", .size = 1, .qos = 1};
    stand->n_done = 0;
    return mqtt_publish_told(stand->mqtt, &message, on_done, self);
}

/* Once, and not before the broker has spoken: a connection that goes in between is no word. */
static void tells_what_came_of_a_message(void **state)
{
    (void)state;
    struct stand stand, gone = {0};
    begin(&stand, "topic readwrite iot/#\n");
    open_mqtt(&stand, "one", 8 << 20);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_up);
    broker_stop(&stand.broker);
    assert_int_equal(publish_told(&stand, "iot/a/b/telemetry/n", &stand), 0);
    run_until(&stand, is_down);
    assert_int_equal(stand.n_done, 0);
    broker_start(&stand.broker);
    run_until(&stand, is_told);
    assert_int_equal(stand.outcome, 0);
    assert_int_equal(publish_told(&stand, "elsewhere/a", &stand), 0);
    run_until(&stand, is_told);
    assert_int_equal(stand.outcome, 135); /* not authorized */
    assert_int_equal(publish_told(&stand, "iot/+/x", &stand), -EINVAL);
    assert_int_equal(publish_told(&stand, "iot/a/b/telemetry/n", &gone), 0);
    mqtt_forget(stand.mqtt, &gone);
    assert_int_equal(publish_told(&stand, "iot/a/b/telemetry/n", &stand), 0);
    run_until(&stand, is_idle);
    run_until(&stand, is_told);
    assert_int_equal(stand.n_done, 1);
    assert_int_equal(gone.n_done, 0);
    end(&stand);
}

static void tells_of_what_had_to_go_for_want_of_room(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, NULL);
    broker_stop(&stand.broker);
    open_mqtt(&stand, "one", 4096);
    mqtt_start(stand.mqtt);
    run_until(&stand, is_down);
    assert_int_equal(publish_told(&stand, "iot/a/b/telemetry/n", &stand), 0);
    publish_numbers(&stand, 40);
    run_until(&stand, is_told);
    assert_int_equal(stand.outcome, -ENOSPC);
    end(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivers_everything_through_a_small_inbox),
        cmocka_unit_test(gathers_what_comes_close),
        cmocka_unit_test(survives_a_broker_that_is_killed),
        cmocka_unit_test(starts_without_a_broker),
        cmocka_unit_test(drops_the_oldest_and_counts_it),
        cmocka_unit_test(tells_of_its_birth_and_its_end),
        cmocka_unit_test(marks_retained_commands),
        cmocka_unit_test(finds_a_silently_denied_subscription),
        cmocka_unit_test(counts_a_refused_publish),
        cmocka_unit_test(tells_what_came_of_a_message),
        cmocka_unit_test(tells_of_what_had_to_go_for_want_of_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
