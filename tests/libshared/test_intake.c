/* intake.c against a real broker. */
#include "broker.h"
#include "clock.h"
#include "intake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000
#define STEP_MS 10

struct stand {
    struct broker broker;
    struct loop *loop;
    struct loop_timer *timer;
    struct intake *intake;
    int64_t end_ms;
    bool (*done)(struct stand *);
    int ups, downs, refused;
    bool session_present;
    char reason[200];
    atomic_int received;
    atomic_bool wait;    /* the handler waits as long as this is true */
    atomic_bool waiting; /* and does so now */
    atomic_int verdict;  /* what it returns */
    char payload[64];    /* of the last message, as the next two */
    char response_topic[64];
    char correlation[64];
};

static int on_message(void *self, const struct mqtt_message *message)
{
    struct stand *stand = self;

    while (atomic_load(&stand->wait)) {
        atomic_store(&stand->waiting, true);
        usleep(1000);
    }
    atomic_store(&stand->waiting, false);
    (void)atomic_load(&stand->received); /* the test cleared it after it had read the last message */
    snprintf(stand->payload, sizeof(stand->payload), "%.*s", (int)message->size,
             (const char *)message->payload);
    snprintf(stand->response_topic, sizeof(stand->response_topic), "%s",
             message->response_topic ? message->response_topic : "none");
    snprintf(stand->correlation, sizeof(stand->correlation), "%.*s", (int)message->correlation_size,
             message->correlation ? (const char *)message->correlation : "");
    atomic_fetch_add(&stand->received, 1);
    return atomic_load(&stand->verdict);
}

static void on_up(void *self, bool session_present)
{
    struct stand *stand = self;

    stand->ups++;
    stand->session_present = session_present;
}

static void on_down(void *self, const char *reason)
{
    struct stand *stand = self;

    stand->downs++;
    snprintf(stand->reason, sizeof(stand->reason), "%s", reason);
}

static void on_refused(void *self, const char *filter, const char *reason)
{
    struct stand *stand = self;

    (void)reason;
    stand->refused++;
    assert_string_equal(filter, "iot/+/+/telemetry/+");
}

static void on_time(void *self)
{
    struct stand *stand = self;

    if (stand->done(stand) || clock_now_ms() > stand->end_ms)
        loop_stop(stand->loop);
    else
        loop_timer_set(stand->timer, loop_now(stand->loop) + STEP_MS);
}

/* Runs the loop until `done`; fails the test where that takes too long. */
static void run_until(struct stand *stand, bool (*done)(struct stand *))
{
    stand->done = done;
    stand->end_ms = clock_now_ms() + PATIENCE_MS;
    loop_timer_set(stand->timer, clock_now_ms());
    loop_run(stand->loop);
    assert_true(done(stand));
}

static bool is_up(struct stand *stand)
{
    return intake_is_up(stand->intake);
}

static bool is_down(struct stand *stand)
{
    return stand->downs > 0;
}

static bool has_three(struct stand *stand)
{
    return atomic_load(&stand->received) >= 3;
}

static bool is_waiting(struct stand *stand)
{
    return atomic_load(&stand->waiting);
}

static int open_intake_of(struct stand *stand, const char *const *filters)
{
    static const struct intake_handlers handlers = {on_message, on_up, on_down, on_refused};
    struct mqtt_options options = {.url = stand->broker.url,
                                   .root = "iot",
                                   .instance = "test-intake",
                                   .keep_alive_ms = 30000,
                                   .connect_timeout_ms = 1000,
                                   .backoff_first_ms = 20,
                                   .backoff_max_ms = 100,
                                   .session_expiry_ms = 3600000};

    return intake_open(&stand->intake, stand->loop, &options, filters, &handlers, stand);
}

static int open_intake(struct stand *stand)
{
    static const char *const filters[] = {"iot/+/+/telemetry/+", "iot/+/+/alert/+", NULL};

    return open_intake_of(stand, filters);
}

static void stand_open(struct stand *stand)
{
    memset(stand, 0, sizeof(*stand));
    broker_open(&stand->broker, NULL);
    assert_int_equal(loop_open(&stand->loop), 0);
    assert_int_equal(loop_timer_open(&stand->timer, stand->loop, on_time, stand), 0);
}

static void stand_close(struct stand *stand)
{
    loop_timer_close(stand->timer);
    loop_close(stand->loop);
    broker_close(&stand->broker);
}

static void publish_with(struct stand *stand, const char *topic, const char *payload,
                         const char *more)
{
    char command[400];

    snprintf(command, sizeof(command), "mosquitto_pub -h 127.0.0.1 -p %d -V 5 -q 1 -t %s -m %s %s",
             stand->broker.port, topic, payload, more);
    assert_int_equal(system(command), 0);
}

static void publish(struct stand *stand, const char *topic, const char *payload)
{
    publish_with(stand, topic, payload, "");
}

static void test_session_outlives_the_client(void **state)
{
    struct stand stand;

    (void)state;
    stand_open(&stand);
    assert_int_equal(open_intake(&stand), 0);
    run_until(&stand, is_up);
    assert_false(stand.session_present);
    publish(&stand, "iot/a/b/telemetry/x", "one");
    assert_true(intake_close(stand.intake));
    publish(&stand, "iot/a/b/telemetry/x", "two");
    publish(&stand, "iot/a/b/status", "none-of-ours");
    publish(&stand, "iot/a/b/alert/x", "three");
    assert_int_equal(open_intake(&stand), 0);
    run_until(&stand, has_three);
    run_until(&stand, is_up);
    assert_true(stand.session_present);
    assert_string_equal(stand.payload, "three");
    assert_int_equal(intake_stats(stand.intake).sessions_lost, 0);
    assert_true(intake_close(stand.intake));
    assert_int_equal(atomic_load(&stand.received), 3);
    stand_close(&stand);
}

static void test_broker_that_lost_the_session(void **state)
{
    struct stand stand;
    struct intake_stats stats;

    (void)state;
    stand_open(&stand);
    assert_int_equal(open_intake(&stand), 0);
    run_until(&stand, is_up);
    broker_stop(&stand.broker);
    run_until(&stand, is_down);
    usleep(300000); /* some attempts in vain: told once for each reason, not each time */
    broker_start(&stand.broker);
    run_until(&stand, is_up);
    for (int i = 0; i < 3; i++)
        publish(&stand, "iot/a/b/telemetry/x", "again");
    run_until(&stand, has_three);
    stats = intake_stats(stand.intake);
    assert_int_equal(stats.connects, 2);
    assert_int_equal(stats.sessions_lost, 1);
    assert_int_equal(stand.ups, 2);
    assert_true(stand.downs <= 3);
    assert_true(intake_close(stand.intake));
    stand_close(&stand);
}

/* A handler that waits holds the library's lock; the loop must not wait for it. */
static void test_waiting_handler_does_not_stop_the_loop(void **state)
{
    struct stand stand;

    (void)state;
    stand_open(&stand);
    assert_int_equal(open_intake(&stand), 0);
    run_until(&stand, is_up);
    atomic_store(&stand.wait, true);
    for (int i = 0; i < 3; i++)
        publish(&stand, "iot/a/b/telemetry/x", "x");
    run_until(&stand, is_waiting);
    broker_stop(&stand.broker);
    usleep(300000);
    broker_start(&stand.broker);
    run_until(&stand, is_waiting); /* the loop runs */
    assert_int_equal(atomic_load(&stand.received), 0);
    atomic_store(&stand.wait, false);
    run_until(&stand, is_down);
    run_until(&stand, is_up);
    assert_true(intake_close(stand.intake));
    stand_close(&stand);
}

/* In a process of its own, since the library is of no use to it afterwards. */
static void test_what_is_not_kept_stays_with_the_broker(void **state)
{
    struct stand stand;
    int status;
    pid_t child;

    (void)state;
    stand_open(&stand);
    child = fork();
    if (child == 0) {
        bool fine;

        alarm(20);
        fine = open_intake(&stand) == 0;
        run_until(&stand, is_up);
        atomic_store(&stand.verdict, -ENOSPC);
        publish(&stand, "iot/a/b/telemetry/x", "kept-by-nobody");
        while (atomic_load(&stand.received) == 0)
            usleep(1000);
        fine = fine && !intake_close(stand.intake); /* left behind */
        fine = fine && open_intake(&stand) == -EBUSY;
        _exit(fine ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(open_intake(&stand), 0);
    run_until(&stand, is_up);
    publish(&stand, "iot/a/b/telemetry/x", "x");
    publish(&stand, "iot/a/b/telemetry/x", "x");
    run_until(&stand, has_three); /* the first of them was the child's */
    assert_true(intake_close(stand.intake));
    stand_close(&stand);
}

static bool has_one(struct stand *stand)
{
    return atomic_load(&stand->received) >= 1;
}

/* The library tells the outcome of one filter differently from that of several. */
static void test_one_filter_and_whom_to_answer(void **state)
{
    static const char *const filters[] = {"iot/_query/stats", NULL};
    struct stand stand;

    (void)state;
    stand_open(&stand);
    assert_int_equal(open_intake_of(&stand, filters), 0);
    run_until(&stand, is_up);
    publish(&stand, "iot/_query/stats", "{}");
    run_until(&stand, has_one);
    assert_string_equal(stand.response_topic, "none");
    assert_string_equal(stand.correlation, "");
    atomic_store(&stand.received, 0);
    publish_with(&stand, "iot/_query/stats", "{}",
                 "-D publish response-topic iot/_reply/me -D publish correlation-data c1");
    run_until(&stand, has_one);
    assert_string_equal(stand.response_topic, "iot/_reply/me");
    assert_string_equal(stand.correlation, "c1");
    assert_true(intake_close(stand.intake));
    stand_close(&stand);
}

static void test_bad_url(void **state)
{
    struct stand stand;

    (void)state;
    stand_open(&stand);
    snprintf(stand.broker.url, sizeof(stand.broker.url), "http://localhost");
    assert_int_equal(open_intake(&stand), -EINVAL);
    stand_close(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* first: it forks, and no thread of the library must run in the parent then */
        cmocka_unit_test(test_what_is_not_kept_stays_with_the_broker),
        cmocka_unit_test(test_session_outlives_the_client),
        cmocka_unit_test(test_broker_that_lost_the_session),
        cmocka_unit_test(test_waiting_handler_does_not_stop_the_loop),
        cmocka_unit_test(test_one_filter_and_whom_to_answer),
        cmocka_unit_test(test_bad_url),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
