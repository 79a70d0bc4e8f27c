/* The file of dead letters: what is added, forgotten, taken up again and mended. */
#include "dead.h"
#include "dead_fix.h"
#include "dead_redo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SENSORS "iot/a/b/telemetry/sensors"

struct bench {
    char directory[64];
    char path[96];
};

static void bench_open(struct bench *bench)
{
    snprintf(bench->directory, sizeof(bench->directory), "/tmp/fieldline-dead-XXXXXX");
    assert_non_null(mkdtemp(bench->directory));
    snprintf(bench->path, sizeof(bench->path), "%s/dead.jsonl", bench->directory);
}

static void bench_close(struct bench *bench)
{
    static const char *const endings[] = {"", ".1", ".redo.0", ".redo.1"};
    char path[120];

    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s%s", bench->path, endings[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(bench->directory), 0); /* nothing else was left */
}

static void add(struct dead *dead, int number)
{
    char payload[64];
    struct dead_letter letter = {.reason = "refused", .detail = "because", .time_ms = 1};

    snprintf(payload, sizeof(payload), "{\"ts\":1,\"seq\":%d,\"values\":{\"n\":%d}}", number,
             number);
    letter.message = (struct message){.topic = SENSORS,
                                      .topic_length = strlen(SENSORS),
                                      .payload = payload,
                                      .size = strlen(payload)};
    assert_int_equal(dead_add(dead, &letter), 0);
}

static void add_range(struct bench *bench, int from, int to, int64_t max_bytes)
{
    struct dead *dead;

    assert_int_equal(dead_open(&dead, bench->path, max_bytes), 0);
    for (int i = from; i < to; i++)
        add(dead, i);
    dead_close(dead);
}

static int n_letters(struct bench *bench)
{
    FILE *nowhere = fopen("/dev/null", "w");
    int n = dead_list(bench->path, nowhere);

    fclose(nowhere);
    return n;
}

static void test_what_the_rotation_forgets_is_counted(void **state)
{
    struct bench bench;
    struct dead *dead;

    (void)state;
    bench_open(&bench);
    assert_int_equal(dead_open(&dead, bench.path, 1000), 0);
    for (int i = 0; i < 100; i++) {
        add(dead, 100 + i);
        assert_int_equal(n_letters(&bench) + (int)dead_forgotten(dead), i + 1);
    }
    assert_true(dead_forgotten(dead) > 0);
    dead_close(dead);
    bench_close(&bench);
}

/* What the visitor saw, and what it is to do: letters of odd numbers are done with. */
struct visits {
    int times[100];
    int stop_at;       /* -1: nowhere */
    int die_at;        /* -1: nowhere */
    struct dead *also; /* gets a letter at each visit; NULL: not */
};

static enum dead_fate visit(void *self, struct dead_letter *letter)
{
    struct visits *visits = self;
    const char *number = strstr(letter->message.payload, "\"seq\":");
    int n = atoi(number + 6);

    visits->times[n]++;
    if (n == visits->die_at)
        _exit(0);
    if (visits->also)
        add(visits->also, 50 + n);
    if (n == visits->stop_at)
        return DEAD_STOP;
    letter->reason = "again";
    return n % 2 ? DEAD_DONE : DEAD_KEEP;
}

static struct dead_redo_counts redo(struct bench *bench, struct visits *visits)
{
    struct dead_redo_counts counts;

    assert_int_equal(dead_redo(bench->path, 1 << 20, visit, visits, &counts), 0);
    return counts;
}

static void test_done_leave_and_others_stay(void **state)
{
    struct visits visits = {.stop_at = -1, .die_at = -1};
    struct dead_redo_counts counts;
    struct bench bench;

    (void)state;
    bench_open(&bench);
    add_range(&bench, 0, 20, 2000); /* in both files */
    counts = redo(&bench, &visits);
    assert_int_equal(counts.done, 10);
    assert_int_equal(counts.kept, 10);
    assert_int_equal(n_letters(&bench), 10);
    for (int i = 0; i < 20; i++)
        assert_int_equal(visits.times[i], 1);
    counts = redo(&bench, &visits);
    assert_int_equal(counts.done, 0);
    assert_int_equal(counts.kept, 10);
    bench_close(&bench);
}

static void test_stop(void **state)
{
    struct visits visits = {.stop_at = 5, .die_at = -1};
    struct dead_redo_counts counts;
    struct bench bench;

    (void)state;
    bench_open(&bench);
    add_range(&bench, 0, 20, 1 << 20);
    counts = redo(&bench, &visits);
    assert_int_equal(counts.done, 2);
    assert_int_equal(counts.kept, 18);
    assert_int_equal(visits.times[6], 0);
    assert_int_equal(n_letters(&bench), 18);
    bench_close(&bench);
}

static void test_service_adds_meanwhile(void **state)
{
    struct visits visits = {.stop_at = -1, .die_at = -1};
    struct bench bench;

    (void)state;
    bench_open(&bench);
    add_range(&bench, 0, 20, 1 << 20);
    assert_int_equal(dead_open(&visits.also, bench.path, 1 << 20), 0);
    redo(&bench, &visits);
    assert_int_equal(n_letters(&bench), 10 + 20);
    dead_close(visits.also);
    bench_close(&bench);
}

static void test_killed_at_each_letter(void **state)
{
    (void)state;
    for (int at = 0; at < 6; at++) {
        struct visits visits = {.stop_at = -1, .die_at = -1};
        struct bench bench;
        pid_t child;
        int status;

        bench_open(&bench);
        add_range(&bench, 0, 6, 1 << 20);
        child = fork();
        if (child == 0) {
            visits.die_at = at;
            redo(&bench, &visits);
            _exit(1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        redo(&bench, &visits);
        for (int i = 1; i < 6; i += 2) /* those done with before are not seen again */
            assert_int_equal(visits.times[i], i < at ? 0 : 1);
        assert_int_equal(n_letters(&bench), 3);
        bench_close(&bench);
    }
}

static void test_line_that_is_no_letter_is_kept(void **state)
{
    struct visits visits = {.stop_at = -1, .die_at = -1};
    struct bench bench;
    FILE *file;

    (void)state;
    bench_open(&bench);
    file = fopen(bench.path, "w");
    fputs("torn {\n", file);
    fclose(file);
    assert_int_equal(redo(&bench, &visits).kept, 1);
    assert_int_equal(n_letters(&bench), 1);
    bench_close(&bench);
}

static void check_fix(const struct dead_fix *fix, const char *topic, const char *payload,
                      const char *expected_topic, const char *expected)
{
    struct buffer in = {0}, topic_out = {0}, out = {0};
    int result;

    buffer_text(&in, payload);
    result = dead_fix_apply(fix, "iot", topic, &in, &topic_out, &out);
    assert_int_equal(result, expected ? 1 : 0);
    if (expected) {
        assert_string_equal(buffer_string(&topic_out), expected_topic);
        assert_string_equal(buffer_string(&out), expected);
    }
    buffer_free(&in);
    buffer_free(&topic_out);
    buffer_free(&out);
}

static void test_fix(void **state)
{
    static const char one[] =
        "{\"ts\":1,\"seq\":2,\"values\":{\"a\":\"x\",\"b\":2},\"bad\":{\"c\":\"t\"}}";
    struct dead_fix fix = {.only = NULL};

    (void)state;
    check_fix(&fix, SENSORS, one, NULL, NULL);
    assert_true(dead_fix_parse_pair("a=z", fix.rename_field, fix.field_name));
    check_fix(&fix, SENSORS, one, SENSORS,
              "{\"ts\":1,\"seq\":2,\"values\":{\"z\":\"x\",\"b\":2},\"bad\":{\"c\":\"t\"}}");
    check_fix(&fix, SENSORS,
              "[{\"ts\":1,\"seq\":2,\"values\":{\"a\":1}},{\"ts\":2,\"seq\":3,\"values\":{}}]",
              SENSORS,
              "[{\"ts\":1,\"seq\":2,\"values\":{\"z\":1}},{\"ts\":2,\"seq\":3,\"values\":{}}]");
    check_fix(&fix, SENSORS, "{\"ts\":1,\"seq\":2,\"values\":{\"a\":1,\"z\":2}}", NULL, NULL);
    check_fix(&fix, SENSORS, "no reading", NULL, NULL);
    check_fix(&fix, "iot/a/b/alert/sensors", one, NULL, NULL);
    fix.only = "iot/+/other/#";
    check_fix(&fix, SENSORS, one, NULL, NULL);
    fix = (struct dead_fix){.drop_field = "a"};
    check_fix(&fix, SENSORS, one, SENSORS,
              "{\"ts\":1,\"seq\":2,\"values\":{\"b\":2},\"bad\":{\"c\":\"t\"}}");
    fix = (struct dead_fix){.only = NULL};
    assert_true(dead_fix_parse_value("a=-1.5", fix.set_field, &fix.set_value));
    assert_true(
        dead_fix_parse_pair("sensors=climate", fix.rename_measurement, fix.measurement_name));
    check_fix(&fix, SENSORS, one, "iot/a/b/telemetry/climate",
              "{\"ts\":1,\"seq\":2,\"values\":{\"a\":-1.5,\"b\":2},\"bad\":{\"c\":\"t\"}}");
    assert_false(dead_fix_parse_pair("a", fix.rename_field, fix.field_name));
    assert_false(dead_fix_parse_pair("a=", fix.rename_field, fix.field_name));
    assert_false(dead_fix_parse_pair("a=B c", fix.rename_field, fix.field_name));
    assert_false(dead_fix_parse_value("=1", fix.set_field, &fix.set_value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_rotation_forgets_is_counted),
        cmocka_unit_test(test_done_leave_and_others_stay),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_service_adds_meanwhile),
        cmocka_unit_test(test_killed_at_each_letter),
        cmocka_unit_test(test_line_that_is_no_letter_is_kept),
        cmocka_unit_test(test_fix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
