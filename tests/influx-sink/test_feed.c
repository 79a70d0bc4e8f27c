/* feed.c on a real spool: which messages come next, when some of them are old. */
#include "feed.h"

#include "clock.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BATCH 10
#define AGE_MS 1000
#define MINUTE_MS 60000

static char directory[64];
static struct spool *spool;
static struct health *health;
static struct field_types *types;
static struct mapping mapping;
static struct feed feed;
static struct batch batch;
static int64_t at_ms;

static int set_up(void **state)
{
    struct spool_options options = {
        .directory = directory, .max_bytes = 1 << 20, .segment_bytes = 1 << 12};
    char error[256];

    (void)state;
    strcpy(directory, "/tmp/test_feed.XXXXXX");
    return mkdtemp(directory) && spool_open(&spool, &options, error, sizeof(error)) == 0 &&
                   health_open(&health) == 0 && field_types_open(&types, 10) == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    (void)state;
    feed_close(&feed);
    batch_free(&batch);
    spool_close(spool);
    health_close(health);
    field_types_close(types);
    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    return rmdir(directory);
}

/* n messages of one point that were received so long ago. */
static void append(int n, int64_t age_ms)
{
    static const char topic[] = "iot/a/b/telemetry/s",
                      payload[] = "{\"ts\":1,\"seq\":1,\"values\":{\"n\":1}}";
    struct message message = {.topic = topic,
                              .topic_length = strlen(topic),
                              .payload = payload,
                              .size = strlen(payload),
                              .received_ms = clock_time_ms() - age_ms};
    struct buffer record = {0};

    assert_int_equal(message_pack(&message, &record), 0);
    while (n-- > 0)
        assert_int_equal(spool_append(spool, record.data, record.size), 0);
    buffer_free(&record);
}

static void start(void)
{
    health_counter *counter = health_count(health, "any");
    struct loader loader = {.encoder = {.root = "iot", .mapping = &mapping, .types = types},
                            .points_max = BATCH,
                            .points = counter,
                            .empty = counter,
                            .coerced = counter,
                            .rounded = counter};

    batch = (struct batch){0};
    assert_int_equal(feed_open(&feed, &loader, spool_reader(spool, 0), AGE_MS), 0);
}

/* The next batch must go, and hold the records [from, to). */
static void takes(uint64_t from, uint64_t to, int64_t now_ms)
{
    assert_int_equal(feed_take(&feed, &batch, now_ms, &at_ms), 1);
    assert_int_equal(batch.first, from);
    assert_int_equal(batch.next, to);
    assert_int_equal(batch.lines.n, to - from);
    batch_clear(&batch);
}

static void test_light_and_full_batches(void **state)
{
    (void)state;
    start();
    assert_int_equal(feed_take(&feed, &batch, AGE_MS, &at_ms), 0);
    assert_int_equal(at_ms, INT64_MAX);
    append(1, 0);
    takes(0, 1, AGE_MS); /* after a pause at once */
    append(3, 0);
    assert_int_equal(feed_take(&feed, &batch, AGE_MS + 1, &at_ms), 0);
    assert_true(at_ms > AGE_MS + 1 && at_ms <= 2 * AGE_MS);
    append(20, 0);
    takes(1, 11, AGE_MS + 2); /* full: at once, with what had waited */
    takes(11, 21, AGE_MS + 2);
    takes(21, 24, 2 * AGE_MS + 2);
}

static void test_new_passes_old(void **state)
{
    int64_t now_ms = MINUTE_MS;

    (void)state;
    append(35, MINUTE_MS);
    start();
    takes(0, 10, now_ms);
    append(2, 0);
    takes(35, 37, now_ms); /* what came after the start is new */
    append(1, 0);
    takes(10, 20, now_ms); /* its next turn is in a second */
    takes(37, 38, now_ms + AGE_MS);
    takes(20, 30, now_ms + AGE_MS);
    append(12, 0);
    takes(38, 48, now_ms + 2 * AGE_MS); /* a full one, and the rest at once */
    takes(48, 50, now_ms + 2 * AGE_MS);
    takes(30, 35, now_ms + 2 * AGE_MS); /* the lanes meet */
    append(1, 0);
    takes(50, 51, now_ms + 4 * AGE_MS);
    assert_false(lanes_are_two(&feed.lanes));
}

/* What came in the last seconds before the store was back is new too. */
static void test_what_is_new_begins_a_while_ago(void **state)
{
    int64_t now_ms = MINUTE_MS;

    (void)state;
    start();
    append(40, MINUTE_MS);
    feed_look(&feed, now_ms);
    append(5, 3000);
    feed_look(&feed, now_ms + FEED_LOOK_MS);
    append(5, 0);
    feed_look(&feed, now_ms + FEED_LOOK_MS + 1); /* too soon to count */
    takes(0, 10, now_ms + FEED_LOOK_MS + 1);
    takes(40, 50, now_ms + FEED_LOOK_MS + 1);
}

static void test_new_that_is_late_is_passed_too(void **state)
{
    int64_t now_ms = MINUTE_MS;

    (void)state;
    append(20, 2 * MINUTE_MS);
    start();
    takes(0, 10, now_ms);
    append(30, MINUTE_MS); /* and the store was away again */
    feed_look(&feed, now_ms + MINUTE_MS);
    append(3, 0);
    feed_look(&feed, now_ms + MINUTE_MS + FEED_LOOK_MS);
    now_ms += MINUTE_MS + FEED_LOOK_MS;
    takes(20, 30, now_ms);
    takes(50, 53, now_ms);
    takes(10, 20, now_ms);
    takes(30, 40, now_ms); /* between what was taken out of turn */
    takes(40, 50, now_ms);
    append(1, 0);
    takes(53, 54, now_ms + AGE_MS);
}

static void test_full_batches_of_new_leave_old_its_turn(void **state)
{
    int64_t now_ms = MINUTE_MS;
    uint64_t old = 10, new = 40;

    (void)state;
    append(40, MINUTE_MS);
    start();
    takes(0, 10, now_ms);
    append(200, 0);
    for (; old < 40; old += 10) {
        for (int i = 0; i < TURNS_NEW_MAX; i++, new += 10)
            takes(new, new + 10, now_ms);
        takes(old, old + 10, now_ms);
    }
    for (; new < 240; new += 10) /* the lanes met */
        takes(new, new + 10, now_ms);
    assert_false(lanes_are_two(&feed.lanes));
}

/* Where the last of what is old cannot be read, its records are done with all the same. */
static void test_old_that_is_unreadable_is_passed(void **state)
{
    static const char segment[] = "0000000000000000.spool";
    int64_t now_ms = MINUTE_MS;
    char path[sizeof(directory) + sizeof(segment)];
    FILE *file;

    (void)state;
    append(11, MINUTE_MS);
    snprintf(path, sizeof(path), "%s/%s", directory, segment);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    fputc('?', file);
    fclose(file);
    start();
    takes(0, 10, now_ms);
    append(2, 0);
    takes(11, 13, now_ms);
    assert_int_equal(feed_take(&feed, &batch, now_ms, &at_ms), 1);
    assert_int_equal(batch.first, 10);
    assert_int_equal(batch.next, 11);
    assert_int_equal(batch.n_messages, 0);
    assert_false(lanes_are_two(&feed.lanes));
}

static void test_batch_is_loaded_again(void **state)
{
    (void)state;
    append(15, 0);
    start();
    assert_int_equal(feed_take(&feed, &batch, AGE_MS, &at_ms), 1);
    assert_int_equal(feed_take_again(&feed, &batch), 0);
    assert_int_equal(batch.first, 0);
    assert_int_equal(batch.next, 10);
    assert_int_equal(batch.lines.n, 10);
    batch_clear(&batch);
    takes(10, 15, 2 * AGE_MS); /* its place is where it was */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_light_and_full_batches),
        TEST(test_new_passes_old),
        TEST(test_what_is_new_begins_a_while_ago),
        TEST(test_new_that_is_late_is_passed_too),
        TEST(test_full_batches_of_new_leave_old_its_turn),
        TEST(test_old_that_is_unreadable_is_passed),
        TEST(test_batch_is_loaded_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
