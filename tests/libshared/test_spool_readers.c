/* spool.c with several readers, and bounded by age: on a real file system. */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SEGMENT 1000 /* bytes */

static char directory[64];
static char error[256];
static const char *const both[] = {"fast", "slow", NULL};
static const char *const fast_only[] = {"fast", NULL};

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_spool.XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    (void)state;
    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    return rmdir(directory);
}

static struct spool *spool_for(const char *const *readers, bool drop_oldest, int64_t max_age_ms)
{
    struct spool_options options = {.directory = directory,
                                    .max_bytes = 20 * SEGMENT,
                                    .segment_bytes = SEGMENT,
                                    .max_age_ms = max_age_ms,
                                    .drop_oldest = drop_oldest,
                                    .readers = readers};
    struct spool *spool = NULL;

    if (spool_open(&spool, &options, error, sizeof(error)) != 0)
        fail_msg("%s", error);
    return spool;
}

static void append(struct spool *spool, int n)
{
    char body[90] = "";

    while (n-- > 0)
        assert_int_equal(spool_append(spool, body, sizeof(body)), 0);
}

/* Reads up to n records; returns how many, and the number after the last one. */
static int take(struct spool_reader *reader, int n, uint64_t *past)
{
    struct spool_record record;
    int got = 0;

    while (got < n && spool_next(reader, &record) == 1) {
        *past = record.number + 1;
        got++;
    }
    return got;
}

static void test_each_reader_has_its_own_place(void **state)
{
    struct spool *spool = spool_for(both, false, 0);
    struct spool_reader *fast = spool_reader(spool, 0), *slow = spool_reader(spool, 1);
    uint64_t past = 0;

    (void)state;
    append(spool, 50);
    assert_int_equal(take(fast, 100, &past), 50);
    assert_int_equal(spool_commit(fast, 50), 0);
    assert_true(spool_stats(spool).segments > 4); /* the slow one needs them */
    assert_int_equal(spool_stats(spool).first, 0);
    assert_int_equal(spool_stats(spool).committed, 0);
    assert_int_equal(spool_waiting(fast), 0);
    assert_int_equal(spool_waiting(slow), 50);

    assert_int_equal(take(slow, 20, &past), 20);
    assert_int_equal(past, 20);
    assert_int_equal(spool_commit(slow, 20), 0);
    assert_int_equal(spool_stats(spool).committed, 20);
    spool_close(spool);

    spool = spool_for(both, false, 0); /* both places are kept */
    assert_int_equal(spool_waiting(spool_reader(spool, 0)), 0);
    assert_int_equal(take(spool_reader(spool, 1), 100, &past), 30);
    assert_int_equal(spool_commit(spool_reader(spool, 1), past), 0);
    assert_int_equal(spool_stats(spool).segments, 1);
    spool_close(spool);
}

/* The second place of a reader: out of turn, and safe from being removed. */
static void test_follower_reads_ahead(void **state)
{
    struct spool *spool = spool_for(fast_only, false, 0);
    struct spool_reader *reader = spool_reader(spool, 0), *follower;
    uint64_t past = 0;

    (void)state;
    append(spool, 50);
    assert_int_equal(spool_follow(&follower, reader), 0);
    assert_int_equal(spool_end(reader), 50);
    spool_seek(follower, 40);
    assert_int_equal(take(follower, 5, &past), 5);
    assert_int_equal(past, 45);
    assert_int_equal(spool_cursor(reader), 0); /* and of nobody's account */
    assert_int_equal(take(reader, 10, &past), 10);
    assert_int_equal(past, 10);
    assert_int_equal(spool_commit(reader, 10), 0);
    assert_int_equal(take(follower, 100, &past), 5);
    append(spool, 3); /* what comes at its end is for it too */
    assert_int_equal(take(follower, 100, &past), 3);
    spool_seek(reader, 45);
    assert_int_equal(spool_commit(reader, 45), 0);
    assert_int_equal(take(reader, 100, &past), 8);
    spool_seek(follower, 0); /* not before the cursor */
    assert_int_equal(take(follower, 1, &past), 1);
    assert_int_equal(past, 46);
    spool_unfollow(follower);
    spool_close(spool);
}

static void test_follower_counts_what_is_unreadable(void **state)
{
    struct spool *spool = spool_for(fast_only, false, 0);
    struct spool_reader *follower;
    uint64_t past = 0;
    char path[128];

    (void)state;
    append(spool, 35); /* nine records a segment */
    snprintf(path, sizeof(path), "%s/%016x.spool", directory, 9);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(spool_follow(&follower, spool_reader(spool, 0)), 0);
    spool_seek(follower, 15);
    assert_int_equal(take(follower, 1, &past), 1);
    assert_int_equal(past, 19);
    assert_int_equal(spool_stats(spool).corrupt, 3);
    spool_unfollow(follower);
    spool_close(spool);
}

static void test_each_reader_is_woken(void **state)
{
    struct spool *spool = spool_for(both, false, 0);
    struct pollfd ready[2] = {{.fd = spool_fd(spool_reader(spool, 0)), .events = POLLIN},
                              {.fd = spool_fd(spool_reader(spool, 1)), .events = POLLIN}};
    uint64_t past;

    (void)state;
    assert_int_equal(take(spool_reader(spool, 0), 1, &past), 0);
    assert_int_equal(take(spool_reader(spool, 1), 1, &past), 0);
    assert_int_equal(poll(ready, 2, 0), 0);
    append(spool, 1);
    assert_int_equal(poll(ready, 2, 0), 2);
    assert_int_equal(take(spool_reader(spool, 0), 2, &past), 1); /* to the end: waits again */
    assert_int_equal(poll(ready, 2, 0), 1);
    spool_close(spool);
}

static void test_reader_that_is_gone_holds_nothing(void **state)
{
    struct spool *spool = spool_for(both, false, 0);
    struct spool_view view;
    uint64_t past;

    (void)state;
    append(spool, 50);
    assert_int_equal(take(spool_reader(spool, 0), 40, &past), 40);
    assert_int_equal(spool_commit(spool_reader(spool, 0), 40), 0);
    assert_int_equal(take(spool_reader(spool, 1), 10, &past), 10);
    assert_int_equal(spool_commit(spool_reader(spool, 1), 10), 0);
    spool_close(spool);
    assert_int_equal(spool_inspect(directory, &view, error, sizeof(error)), 0);
    assert_int_equal(view.n_readers, 2);
    assert_string_equal(view.readers[0].name, "fast");
    assert_int_equal(view.readers[0].cursor, 40);
    assert_string_equal(view.readers[1].name, "slow");
    assert_int_equal(view.readers[1].cursor, 10);
    assert_int_equal(view.stats.first, 10);

    spool = spool_for(fast_only, false, 0);
    assert_int_equal(spool_stats(spool).first, 40);
    assert_true(spool_stats(spool).segments <= 2);
    spool_close(spool);
    assert_int_equal(spool_inspect(directory, &view, error, sizeof(error)), 0);
    assert_int_equal(view.n_readers, 1);

    spool = spool_for(both, false, 0); /* and where it comes back, it gets all there is */
    assert_int_equal(spool_stats(spool).corrupt, 0);
    assert_int_equal(spool_waiting(spool_reader(spool, 0)), 10);
    assert_true(take(spool_reader(spool, 1), 100, &past) >= 10);
    assert_int_equal(past, 50);
    spool_close(spool);
}

static void test_new_reader_is_seen_from_outside(void **state)
{
    struct spool *spool = spool_for(both, false, 0);
    struct spool_view view;
    uint64_t past;

    (void)state;
    append(spool, 5);
    assert_int_equal(take(spool_reader(spool, 0), 5, &past), 5);
    assert_int_equal(spool_commit(spool_reader(spool, 0), 5), 0);
    assert_int_equal(spool_inspect(directory, &view, error, sizeof(error)), 0);
    assert_int_equal(view.n_readers, 2); /* the slow one has not committed anything yet */
    assert_int_equal(view.stats.first, 0);
    spool_close(spool);
}

/* Somebody else's spool may lose a segment between two looks at it. */
static void test_inspection_bears_what_vanishes(void **state)
{
    struct spool *spool = spool_for(fast_only, false, 0);
    struct spool_view view;
    char path[128];

    (void)state;
    append(spool, 50);
    snprintf(path, sizeof(path), "%s/0000000000000000.spool", directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0); /* listed, and not there when it is opened */
    assert_int_equal(spool_inspect(directory, &view, error, sizeof(error)), 0);
    assert_int_equal(view.stats.next, 50);
    assert_true(view.stats.first > 0);
    assert_int_equal(view.stats.torn, 0);
    spool_close(spool);
}

static void test_names_that_cannot_be(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const empty[] = {"", NULL};
    struct spool_options options = {
        .directory = directory, .max_bytes = 20 * SEGMENT, .segment_bytes = SEGMENT};
    struct spool *spool;

    (void)state;
    options.readers = none;
    assert_int_equal(spool_open(&spool, &options, error, sizeof(error)), -EINVAL);
    options.readers = empty;
    assert_int_equal(spool_open(&spool, &options, error, sizeof(error)), -EINVAL);
}

/* What is dropped for room is dropped for the readers that had not had it. */
static void test_dropped_for_the_slow_one_only(void **state)
{
    struct spool *spool = spool_for(both, true, 0);
    uint64_t past = 0, first;
    int got;

    (void)state;
    append(spool, 100);
    assert_int_equal(take(spool_reader(spool, 0), 100, &past), 100);
    assert_int_equal(spool_commit(spool_reader(spool, 0), 100), 0);
    append(spool, 300);
    first = spool_stats(spool).first;
    assert_true(first > 100);
    assert_int_equal(spool_stats(spool).dropped, first);
    got = take(spool_reader(spool, 1), 1000, &past);
    assert_int_equal(past, 400);
    assert_int_equal(got, 400 - first);
    assert_int_equal(take(spool_reader(spool, 0), 1000, &past), 400 - first);
    assert_int_equal(spool_stats(spool).corrupt, 0);
    spool_close(spool);
}

/* A damaged record is one, however many readers meet it. */
static void test_damage_is_counted_once(void **state)
{
    struct spool *spool = spool_for(both, false, 0);
    char path[128];
    uint64_t past;
    FILE *file;

    (void)state;
    append(spool, 50);
    spool_close(spool);
    snprintf(path, sizeof(path), "%s/0000000000000000.spool", directory);
    file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 24 + 8 + 5, SEEK_SET), 0);
    fputc('x', file);
    fclose(file);
    spool = spool_for(both, false, 0);
    assert_int_equal(take(spool_reader(spool, 0), 100, &past), 49);
    assert_int_equal(take(spool_reader(spool, 1), 100, &past), 49);
    assert_int_equal(spool_stats(spool).corrupt, 1);
    spool_close(spool);
}

/* All files of the spool were last written to `seconds` ago. */
static void make_older(time_t seconds)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    DIR *entries = opendir(directory);
    struct dirent *entry;

    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.')
            assert_int_equal(utimensat(dirfd(entries), entry->d_name, times, 0), 0);
    closedir(entries);
}

static void test_old_is_full(void **state)
{
    struct spool *spool = spool_for(fast_only, false, 3600000);
    uint64_t past = 0;

    (void)state;
    append(spool, 5);
    spool_close(spool);
    make_older(1800);
    spool = spool_for(fast_only, false, 3600000);
    append(spool, 1); /* half as old as may be: a segment of its own for what is new */
    assert_int_equal(spool_stats(spool).segments, 2);
    spool_close(spool);
    make_older(4000);
    spool = spool_for(fast_only, false, 3600000);
    assert_true(spool_stats(spool).age_ms >= 4000000);
    assert_int_equal(spool_append(spool, "x", 1), -ENOSPC);
    assert_int_equal(take(spool_reader(spool, 0), 100, &past), 6);
    assert_int_equal(spool_append(spool, "x", 1), -ENOSPC); /* read, not done with */
    assert_int_equal(spool_commit(spool_reader(spool, 0), past), 0);
    append(spool, 1);
    assert_int_equal(spool_stats(spool).dropped, 0);
    spool_close(spool);
}

static void test_old_is_dropped(void **state)
{
    struct spool *spool = spool_for(fast_only, true, 3600000);
    uint64_t past;

    (void)state;
    append(spool, 5);
    spool_close(spool);
    make_older(3700);
    spool = spool_for(fast_only, true, 3600000);
    append(spool, 3);
    assert_int_equal(spool_stats(spool).dropped, 5);
    assert_int_equal(take(spool_reader(spool, 0), 100, &past), 3);
    assert_int_equal(past, 8);
    spool_close(spool);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_each_reader_has_its_own_place),
        TEST(test_follower_reads_ahead),
        TEST(test_follower_counts_what_is_unreadable),
        TEST(test_each_reader_is_woken),
        TEST(test_reader_that_is_gone_holds_nothing),
        TEST(test_new_reader_is_seen_from_outside),
        TEST(test_inspection_bears_what_vanishes),
        TEST(test_names_that_cannot_be),
        TEST(test_dropped_for_the_slow_one_only),
        TEST(test_damage_is_counted_once),
        TEST(test_old_is_full),
        TEST(test_old_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
