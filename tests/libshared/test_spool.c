/* spool.c on a real file system: against a model of a queue, cut, damaged, full, and by two
 * threads. */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static char error[256];

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_spool.XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static void empty_directory(void)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

static int tear_down(void **state)
{
    (void)state;
    empty_directory();
    return rmdir(directory);
}

static struct spool *spool_with(int64_t max_bytes, int64_t segment_bytes, bool drop_oldest)
{
    struct spool_options options = {.directory = directory,
                                    .max_bytes = max_bytes,
                                    .segment_bytes = segment_bytes,
                                    .drop_oldest = drop_oldest};
    struct spool *spool = NULL;

    if (spool_open(&spool, &options, error, sizeof(error)) != 0)
        fail_msg("%s", error);
    return spool;
}

/* The body of record `number`: any length from 0 on, any bytes, the same each time. */
static size_t make_body(uint64_t number, char *out, size_t most)
{
    uint64_t x = number * 0x9e3779b97f4a7c15u + 1;
    size_t size;

    x ^= x >> 29;
    size = (size_t)(x % most);
    for (size_t i = 0; i < size; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        out[i] = (char)(x >> 56);
    }
    return size;
}

static int append_number(struct spool *spool, uint64_t number, size_t most)
{
    static char body[SPOOL_RECORD_MAX];

    return spool_append(spool, body, make_body(number, body, most));
}

static void check_record(const struct spool_record *record, size_t most)
{
    static char body[SPOOL_RECORD_MAX];

    assert_int_equal(record->size, make_body(record->number, body, most));
    assert_memory_equal(record->body, body, record->size);
}

static void test_first_in_first_out(void **state)
{
    struct spool *spool = spool_with(1 << 20, 1 << 16, false);
    struct spool_record record;
    struct spool_stats stats;

    (void)state;
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 0);
    assert_int_equal(spool_append(spool, "one", 3), 0);
    assert_int_equal(spool_append(spool, "", 0), 0);
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
    assert_int_equal(record.number, 0);
    assert_int_equal(record.size, 3);
    assert_memory_equal(record.body, "one", 3);
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
    assert_int_equal(record.number, 1);
    assert_int_equal(record.size, 0);
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 0);
    spool_seek(spool_reader(spool, 0), 0);
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
    assert_int_equal(record.number, 0);
    assert_int_equal(spool_commit(spool_reader(spool, 0), 1), 0);
    assert_int_equal(spool_commit(spool_reader(spool, 0), 3), -EINVAL);
    stats = spool_stats(spool);
    assert_int_equal(stats.first, 1);
    assert_int_equal(stats.next, 2);
    assert_int_equal(stats.appended, 2);
    assert_int_equal(stats.committed, 1);
    spool_close(spool);

    spool = spool_with(1 << 20, 1 << 16, false);
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
    assert_int_equal(record.number, 1);
    spool_close(spool);
}

/* Random operations on the spool and on a model: three numbers. */
static void run_model(unsigned seed, size_t most, int64_t segment_bytes)
{
    struct spool *spool = spool_with(1 << 30, segment_bytes, false);
    struct spool_record record;
    uint64_t first = 0, read = 0, next = 0;

    for (int step = 0; step < 3000; step++) {
        int dice = rand_r(&seed) % 100;

        if (dice < 45) {
            assert_int_equal(append_number(spool, next++, most), 0);
        } else if (dice < 85) {
            int got = spool_next(spool_reader(spool, 0), &record);

            assert_int_equal(got, read < next);
            if (got) {
                assert_int_equal(record.number, read++);
                check_record(&record, most);
            }
        } else if (dice < 94) {
            first += read > first ? (uint64_t)rand_r(&seed) % (read - first + 1) : 0;
            assert_int_equal(spool_commit(spool_reader(spool, 0), first), 0);
        } else if (dice < 97) {
            spool_seek(spool_reader(spool, 0), 0);
            read = first;
        } else if (dice < 98) {
            spool_close(spool);
            spool = spool_with(1 << 30, segment_bytes, false);
            read = first;
        } else {
            assert_int_equal(spool_sync(spool), 0);
        }
        assert_int_equal(spool_stats(spool).first, first);
        assert_int_equal(spool_stats(spool).next, next);
    }
    assert_int_equal(spool_stats(spool).torn + spool_stats(spool).corrupt, 0);
    spool_close(spool);
    empty_directory();
}

static void test_model(void **state)
{
    unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);

    (void)state;
    print_message("SEED=%u replays this run\n", seed);
    run_model(seed, 100, 1000);
    run_model(seed + 1, 2000, 1 << 16);
    run_model(seed + 2, 60000, 100000);
}

static char *slurp(const char *name, size_t *size)
{
    char path[128];
    char *data = malloc(1 << 20);
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "r");
    assert_non_null(file);
    *size = fread(data, 1, 1 << 20, file);
    fclose(file);
    return data;
}

static void put_file(const char *name, const char *data, size_t size)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

#define FIRST_SEGMENT "0000000000000000.spool"

/* `n` records in one segment; ends[i] is the size of the file with i records. */
static char *one_segment(size_t n, size_t *ends)
{
    struct spool *spool = spool_with(1 << 20, 1 << 19, false);
    char *data;

    ends[0] = (size_t)spool_stats(spool).bytes;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(append_number(spool, i, 40), 0);
        ends[i + 1] = (size_t)spool_stats(spool).bytes;
    }
    spool_close(spool);
    data = slurp(FIRST_SEGMENT, &(size_t){0});
    empty_directory();
    return data;
}

static void test_cut_at_every_byte(void **state)
{
    size_t ends[31];
    char *data = one_segment(30, ends);

    (void)state;
    for (size_t size = 0; size <= ends[30]; size++) {
        struct spool_record record;
        struct spool *spool;
        size_t whole = 0;
        bool torn = size < ends[0];

        while (whole < 30 && ends[whole + 1] <= size)
            whole++;
        torn = torn || ends[whole] != size;
        put_file(FIRST_SEGMENT, data, size);
        spool = spool_with(1 << 20, 1 << 19, false);
        assert_int_equal(spool_stats(spool).torn, torn);
        assert_int_equal(append_number(spool, whole, 40), 0); /* it goes on where it was cut */
        for (size_t i = 0; i <= whole; i++) {
            assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
            assert_int_equal(record.number, i);
            check_record(&record, 40);
        }
        assert_int_equal(spool_next(spool_reader(spool, 0), &record), 0);
        assert_int_equal(spool_stats(spool).corrupt, 0);
        spool_close(spool);
        empty_directory();
    }
    free(data);
}

/* What a power cut leaves where the size was written and the data was not. */
static void test_tail_of_zeros(void **state)
{
    size_t ends[6];
    char *data = one_segment(5, ends);
    struct spool *spool;

    (void)state;
    data = realloc(data, 1 << 20);
    memset(data + ends[5], 0, 5000);
    put_file(FIRST_SEGMENT, data, ends[5] + 5000);
    spool = spool_with(1 << 20, 1 << 19, false);
    assert_int_equal(spool_stats(spool).next, 5);
    assert_int_equal(spool_stats(spool).torn, 1);
    spool_close(spool);
    spool = spool_with(1 << 20, 1 << 19, false);
    assert_int_equal(spool_stats(spool).torn, 0); /* it was cut */
    spool_close(spool);
    empty_directory();
    memset(data, 0, 5000);
    put_file(FIRST_SEGMENT, data, 5000);
    spool = spool_with(1 << 20, 1 << 19, false);
    assert_int_equal(spool_stats(spool).next, 0);
    assert_int_equal(spool_stats(spool).torn, 1);
    spool_close(spool);
    free(data);
}

/* Reads all there is; each must be what was appended. Returns how many. */
static size_t read_all(struct spool *spool, uint64_t *past)
{
    struct spool_record record;
    size_t n = 0;

    *past = 0;
    while (spool_next(spool_reader(spool, 0), &record) == 1) {
        assert_true(n == 0 || record.number >= *past);
        check_record(&record, 40);
        *past = record.number + 1;
        n++;
    }
    return n;
}

static void test_flipped_bits_in_the_last_segment(void **state)
{
    size_t ends[21];
    char *data = one_segment(20, ends);
    struct spool_options options = {
        .directory = directory, .max_bytes = 1 << 20, .segment_bytes = 1 << 19};
    size_t refused = 0;

    (void)state;
    for (size_t bit = 0; bit < ends[20] * 8; bit++) {
        struct spool *spool = NULL;
        struct spool_stats stats;
        size_t hit = 0; /* the record that holds the bit */
        uint64_t past;

        data[bit / 8] ^= (char)(1 << bit % 8);
        put_file(FIRST_SEGMENT, data, ends[20]);
        data[bit / 8] ^= (char)(1 << bit % 8);
        if (spool_open(&spool, &options, error, sizeof(error)) != 0) {
            refused++;
            continue;
        }
        while (hit < 20 && ends[hit + 1] <= bit / 8)
            hit++;
        size_t got = read_all(spool, &past);
        stats = spool_stats(spool);
        if (bit / 8 < ends[0]) { /* the header: the name says the same */
            assert_int_equal(got, 20);
            assert_true(stats.torn == 1 || bit / 8 >= 20);
        } else {
            assert_true(got >= hit);
            assert_true(got < 20);
            assert_true(stats.torn + stats.corrupt > 0);
            assert_int_equal(got + stats.corrupt, stats.next);
        }
        spool_close(spool);
        empty_directory();
    }
    assert_int_equal(refused, 8); /* the version: another program's files are left alone */
    free(data);
}

static void test_flipped_bits_in_a_closed_segment(void **state)
{
    struct spool *spool = spool_with(1 << 20, 600, false);
    char *data;
    size_t size;

    (void)state;
    for (uint64_t i = 0; i < 60; i++)
        assert_int_equal(append_number(spool, i, 40), 0);
    spool_close(spool);
    data = slurp(FIRST_SEGMENT, &size);
    for (size_t bit = 24 * 8; bit < size * 8; bit += 3) {
        uint64_t past;
        size_t got;

        data[bit / 8] ^= (char)(1 << bit % 8);
        put_file(FIRST_SEGMENT, data, size);
        data[bit / 8] ^= (char)(1 << bit % 8);
        spool = spool_with(1 << 20, 600, false);
        got = read_all(spool, &past);
        assert_true(got < 60);
        assert_int_equal(past, 60);
        assert_int_equal(got + spool_stats(spool).corrupt, 60); /* counted to the last one */
        spool_close(spool);
    }
    free(data);
}

static void test_missing_segment_is_counted(void **state)
{
    struct spool *spool = spool_with(1 << 20, 600, false);
    uint64_t past, second = UINT64_MAX;
    struct dirent *entry;
    char path[400];
    DIR *entries;
    size_t got;

    (void)state;
    for (uint64_t i = 0; i < 60; i++)
        assert_int_equal(append_number(spool, i, 40), 0);
    entries = opendir(directory);
    while ((entry = readdir(entries))) {
        uint64_t first = strtoull(entry->d_name, NULL, 16);

        if (first > 0 && first < second)
            second = first;
    }
    closedir(entries);
    snprintf(path, sizeof(path), "%s/%016llx.spool", directory, (unsigned long long)second);
    assert_int_equal(unlink(path), 0);
    got = read_all(spool, &past); /* taken away under the reader */
    assert_int_equal(past, 60);
    assert_true(got < 60);
    assert_int_equal(got + spool_stats(spool).corrupt, 60);
    spool_close(spool);
    spool = spool_with(1 << 20, 600, false); /* and before the start */
    assert_int_equal(read_all(spool, &past), got);
    assert_int_equal(got + spool_stats(spool).corrupt, 60);
    spool_close(spool);
}

static void test_foreign_and_newer_are_refused(void **state)
{
    struct spool_options options = {
        .directory = directory, .max_bytes = 1 << 20, .segment_bytes = 1 << 19};
    struct spool_view view;
    struct spool *spool = NULL;
    size_t ends[4], size;
    char *data = one_segment(3, ends);

    (void)state;
    data[7] = '2';
    put_file(FIRST_SEGMENT, data, ends[3]);
    assert_int_equal(spool_open(&spool, &options, error, sizeof(error)), -EPROTO);
    assert_non_null(strstr(error, FIRST_SEGMENT " is a spool segment of format '2'"));
    assert_int_equal(spool_inspect(directory, &view, error, sizeof(error)), -EPROTO);
    free(slurp(FIRST_SEGMENT, &size));
    assert_int_equal(size, ends[3]); /* untouched */
    put_file(FIRST_SEGMENT, "something that somebody else has left here\n", 43);
    assert_int_equal(spool_open(&spool, &options, error, sizeof(error)), -EPROTO);
    assert_non_null(strstr(error, "is no spool segment"));
    free(data);
}

static void test_damaged_cursor_repeats(void **state)
{
    struct spool *spool = spool_with(1 << 20, 1 << 19, false);
    uint64_t past;

    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        append_number(spool, i, 40);
    assert_int_equal(read_all(spool, &past), 10);
    assert_int_equal(spool_commit(spool_reader(spool, 0), 6), 0);
    spool_close(spool);
    spool = spool_with(1 << 20, 1 << 19, false);
    assert_int_equal(read_all(spool, &past), 4);
    spool_close(spool);
    put_file("cursor.main", "FLCURS1\0garbage", 15);
    spool = spool_with(1 << 20, 1 << 19, false);
    assert_int_equal(spool_stats(spool).torn, 1);
    assert_int_equal(read_all(spool, &past), 10);
    spool_close(spool);
}

/* A power cut may take records whose cursor it leaves: their numbers must not be given again. */
static void test_cursor_beyond_the_records(void **state)
{
    struct spool *spool = spool_with(1 << 20, 1 << 19, false);
    struct spool_record record;
    size_t size;
    char *data;

    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        append_number(spool, i, 40);
    spool_commit(spool_reader(spool, 0), 10);
    spool_close(spool);
    data = slurp(FIRST_SEGMENT, &size);
    put_file(FIRST_SEGMENT, data, size / 2);
    free(data);
    spool = spool_with(1 << 20, 1 << 19, false);
    assert_int_equal(append_number(spool, 10, 40), 0);
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
    assert_int_equal(record.number, 10);
    check_record(&record, 40);
    spool_close(spool);
}

static void test_full_spool_refuses_until_read(void **state)
{
    struct spool *spool = spool_with(10000, 2000, false);
    struct spool_record record;
    uint64_t next = 0, read = 0;
    static const char large[10000];

    (void)state;
    assert_int_equal(spool_append(spool, large, sizeof(large)), -EMSGSIZE);
    for (int round = 0; round < 20; round++) {
        int result;

        while ((result = append_number(spool, next, 300)) == 0)
            next++;
        assert_int_equal(result, -ENOSPC);
        assert_true(spool_stats(spool).bytes <= 10000 + 24);
        while (spool_next(spool_reader(spool, 0), &record) == 1) {
            assert_int_equal(record.number, read++);
            check_record(&record, 300);
        }
        assert_int_equal(read, next);
        assert_int_equal(spool_commit(spool_reader(spool, 0), next), 0);
        assert_true(spool_stats(spool).bytes <= 2000 + 24);
    }
    assert_int_equal(spool_stats(spool).dropped, 0);
    spool_close(spool);
}

static void test_drop_oldest_counts(void **state)
{
    struct spool *spool = spool_with(10000, 2000, true);
    struct spool_record record;
    struct spool_stats stats;
    uint64_t got = 0, expected;

    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        append_number(spool, i, 300);
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
    spool_commit(spool_reader(spool, 0), 1);
    for (uint64_t i = 10; i < 1000; i++)
        assert_int_equal(append_number(spool, i, 300), 0);
    stats = spool_stats(spool);
    assert_true(stats.bytes <= 10000 + 24);
    assert_true(stats.dropped > 900);
    expected = stats.first;
    while (spool_next(spool_reader(spool, 0), &record) == 1) {
        assert_int_equal(record.number, expected++);
        check_record(&record, 300);
        got++;
    }
    assert_int_equal(1 + stats.dropped + got, 1000);
    assert_int_equal(spool_stats(spool).corrupt, 0);
    spool_close(spool);
}

/* A file-size limit ends a write in the middle, as a full disk does. */
static void test_failed_write_leaves_nothing(void **state)
{
    struct rlimit unlimited, limit;
    struct spool *spool = spool_with(1 << 20, 1 << 19, false);
    uint64_t next = 0, past;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &unlimited);
    for (rlim_t size = 200; size < 1500; size += 37) {
        limit = (struct rlimit){size, unlimited.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        while (append_number(spool, next, 40) == 0)
            next++;
        assert_int_not_equal(append_number(spool, next, 40), 0);
        assert_int_equal(spool_stats(spool).next, next);
        setrlimit(RLIMIT_FSIZE, &unlimited);
        assert_int_equal(append_number(spool, next++, 40), 0);
    }
    assert_int_equal(read_all(spool, &past), next);
    spool_close(spool);
    spool = spool_with(1 << 20, 1 << 19, false);
    assert_int_equal(read_all(spool, &past), next);
    assert_int_equal(spool_stats(spool).torn + spool_stats(spool).corrupt, 0);
    spool_close(spool);
}

static void test_second_process_is_refused(void **state)
{
    struct spool_options options = {
        .directory = directory, .max_bytes = 1 << 20, .segment_bytes = 1 << 19};
    struct spool *spool = spool_with(1 << 20, 1 << 19, false);
    struct spool_view view;
    int status;
    pid_t child;

    (void)state;
    append_number(spool, 0, 40);
    child = fork();
    if (child == 0) {
        struct spool *other;
        int result = spool_open(&other, &options, error, sizeof(error));

        _exit(result == -EWOULDBLOCK && strstr(error, "another process") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(spool_inspect(directory, &view, error, sizeof(error)), 0);
    assert_int_equal(view.stats.next, 1); /* looking needs no lock */
    spool_close(spool);
    spool_close(spool_with(1 << 20, 1 << 19, false)); /* free again */
}

#define THREAD_RECORDS 20000

static void *write_many(void *self)
{
    struct spool *spool = self;

    for (uint64_t i = 0; i < THREAD_RECORDS; i++) {
        int result;

        while ((result = append_number(spool, i, 100)) == -ENOSPC)
            usleep(200);
        assert_int_equal(result, 0);
        if (i % 1000 == 0)
            spool_sync(spool);
    }
    return NULL;
}

static void test_reader_and_writer_threads(void **state)
{
    struct spool *spool = spool_with(100000, 10000, false);
    struct pollfd ready = {.fd = spool_fd(spool_reader(spool, 0)), .events = POLLIN};
    struct spool_record record;
    uint64_t read = 0;
    pthread_t writer;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_many, spool), 0);
    while (read < THREAD_RECORDS) {
        int got = spool_next(spool_reader(spool, 0), &record);

        assert_true(got >= 0);
        if (got == 0) {
            spool_commit(spool_reader(spool, 0), read);
            spool_sync(spool);
            assert_int_equal(poll(&ready, 1, 10000), 1); /* a lost wake-up hangs here */
            continue;
        }
        assert_int_equal(record.number, read++);
        check_record(&record, 100);
        if (read % 64 == 0)
            assert_int_equal(spool_commit(spool_reader(spool, 0), read), 0);
    }
    pthread_join(writer, NULL);
    assert_int_equal(spool_stats(spool).appended, THREAD_RECORDS);
    spool_close(spool);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_first_in_first_out),
        TEST(test_model),
        TEST(test_cut_at_every_byte),
        TEST(test_tail_of_zeros),
        TEST(test_flipped_bits_in_the_last_segment),
        TEST(test_flipped_bits_in_a_closed_segment),
        TEST(test_missing_segment_is_counted),
        TEST(test_foreign_and_newer_are_refused),
        TEST(test_damaged_cursor_repeats),
        TEST(test_cursor_beyond_the_records),
        TEST(test_full_spool_refuses_until_read),
        TEST(test_drop_oldest_counts),
        TEST(test_failed_write_leaves_nothing),
        TEST(test_second_process_is_refused),
        TEST(test_reader_and_writer_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
