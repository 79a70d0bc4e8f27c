#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/alerter-XXXXXX";
static char path[64];
static struct life *life;
static struct notification *pending;
static char pending_channel[TOPIC_NAME_SIZE];

static const struct topic topic = {
    .kind = TOPIC_ALERT, .location = "hall", .device = "line", .name = "hot"};
static const struct alert alert = {.state = ALERT_STALE,
                                   .severity = ALERT_CRITICAL,
                                   .since_ms = 1763805600123,
                                   .value = {.type = VALUE_NUMBER, .number = 0.81},
                                   .message = "a \"quote\",\na line and ü",
                                   .rule = "hot",
                                   .episode = 7};

static int set_up(void **state)
{
    (void)state;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/memory.json", directory);
    pending = NULL;
    return life_open(&life, 100);
}

static int tear_down(void **state)
{
    (void)state;
    life_close(life);
    notification_close(pending);
    unlink(path);
    return rmdir(directory);
}

static void on_pending(void *self, const char *channel, struct notification *notification)
{
    (void)self;
    notification_close(pending);
    pending = notification;
    snprintf(pending_channel, sizeof pending_channel, "%s", channel);
}

static int load(char error[256])
{
    error[0] = '\0';
    return memory_load(path, life, on_pending, NULL, error, 256);
}

static void save_one(void)
{
    struct memory_writer writer;
    struct notification *notification;

    life_offer(life, &topic, &alert, false);
    assert_int_equal(notification_open(&notification, &topic, &alert, 42), 0);
    notification->attempts = 3;
    strcpy(notification->error, "answer 500");
    memory_begin(&writer, life);
    memory_add(&writer, "ops", notification);
    assert_int_equal(memory_save(&writer, path), 0);
    notification_close(notification);
    life_close(life);
    assert_int_equal(life_open(&life, 100), 0);
}

static void test_it_comes_back(void **state)
{
    char error[256];

    (void)state;
    save_one();
    assert_int_equal(load(error), 0);
    assert_int_equal(life_size(life), 1);
    assert_int_equal(life_active(life), 1);
    assert_int_equal(life_offer(life, &topic, &alert, false), 0);
    assert_string_equal(pending_channel, "ops");
    assert_string_equal(pending->id, "hall/line/hot/7/stale");
    assert_string_equal(pending->message, alert.message);
    assert_true(value_equal(&pending->value, &alert.value));
    assert_int_equal(pending->attempts, 3);
    assert_string_equal(pending->error, "answer 500");
    assert_int_equal(pending->created_ms, 42);
    assert_int_equal(pending->severity, ALERT_CRITICAL);
}

static void test_nothing_there(void **state)
{
    char error[256];

    (void)state;
    assert_int_equal(load(error), -ENOENT);
}

static void write_file(const char *text, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
}

/* A file cut anywhere is refused with a reason, whatever of it was read before. */
static void test_cut_at_every_byte(void **state)
{
    char text[4096], error[256];
    FILE *file;
    size_t size;

    (void)state;
    save_one();
    file = fopen(path, "r");
    size = fread(text, 1, sizeof text, file);
    fclose(file);
    for (size_t cut = 0; cut < size; cut++) {
        write_file(text, cut);
        assert_int_equal(load(error), -EBADMSG);
        assert_true(*error);
    }
}

static void test_what_is_no_memory(void **state)
{
    const char *const texts[] = {
        "[]",
        "{}",
        "{\"version\":2,\"alerts\":[],\"pending\":[]}",
        "{\"version\":1,\"alerts\":{},\"pending\":[]}",
        "{\"version\":1,\"alerts\":[1],\"pending\":[]}",
        "{\"version\":1,\"alerts\":[{\"location\":\"../"
        "x\",\"device\":\"d\",\"rule\":\"r\",\"episode\":1,"
        "\"since\":1,\"state\":0,\"severity\":0,\"told\":0}],\"pending\":[]}",
        "{\"version\":1,\"alerts\":[{\"location\":\"l\",\"device\":\"d\",\"rule\":\"r\","
        "\"episode\":1,"
        "\"since\":1,\"state\":3,\"severity\":0,\"told\":0}],\"pending\":[]}",
        "{\"version\":1,\"alerts\":[],\"pending\":[{\"channel\":\"a\"}]}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char error[256];

        write_file(texts[i], strlen(texts[i]));
        assert_int_equal(load(error), -EBADMSG);
        assert_true(*error);
    }
}

static void test_a_directory_that_is_not_there(void **state)
{
    struct memory_writer writer;

    (void)state;
    memory_begin(&writer, life);
    assert_int_equal(memory_save(&writer, "/nowhere/at/all"), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_at_every_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_directory_that_is_not_there, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
