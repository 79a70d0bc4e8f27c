/* Results on disk: found again, cut short, bounded. */
#include "ledger_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BOUND 4096

struct bench {
    char folder[64];
    char path[96];
    struct ledger_file *file;
    int n_loaded;
    char last_id[COMMAND_ID_SIZE];
    char last_actuator[32];
    enum command_outcome last_outcome;
    double last_number;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    strcpy(bench->folder, "/tmp/ledger-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof bench->path, "%s/commands", bench->folder);
    assert_int_equal(ledger_file_open(&bench->file, bench->path, BOUND), 0);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    char old[128];

    ledger_file_close(bench->file);
    snprintf(old, sizeof old, "%s.old", bench->path);
    unlink(old);
    unlink(bench->path);
    rmdir(bench->folder);
    free(bench);
    return 0;
}

static void add(struct bench *bench, int i, enum command_outcome outcome)
{
    char id[16];
    struct command_result result = {.id = id,
                                    .outcome = outcome,
                                    .reason = outcome == COMMAND_OK ? NULL : "timeout",
                                    .value = value_number(i),
                                    .ts_ms = 1000 + i};

    snprintf(id, sizeof id, "id %d", i);
    assert_int_equal(ledger_file_add(bench->file, "fan", &result), 0);
}

static void on_result(void *self, const char *actuator, const struct command_result *result)
{
    struct bench *bench = self;

    bench->n_loaded++;
    snprintf(bench->last_id, sizeof bench->last_id, "%s", result->id);
    snprintf(bench->last_actuator, sizeof bench->last_actuator, "%s", actuator);
    bench->last_outcome = result->outcome;
    bench->last_number = result->value.number;
}

static size_t reload(struct bench *bench)
{
    ledger_file_close(bench->file);
    assert_int_equal(ledger_file_open(&bench->file, bench->path, BOUND), 0);
    bench->n_loaded = 0;
    return ledger_file_load(bench->file, on_result, bench);
}

static void what_was_added_is_found_in_order(void **state)
{
    struct bench *bench = *state;

    add(bench, 1, COMMAND_FAILED);
    add(bench, 2, COMMAND_OK);
    assert_int_equal(reload(bench), 0);
    assert_int_equal(bench->n_loaded, 2);
    assert_string_equal(bench->last_id, "id 2");
    assert_string_equal(bench->last_actuator, "fan");
    assert_int_equal(bench->last_outcome, COMMAND_OK);
    assert_true(bench->last_number == 2);
}

static void a_line_cut_short_costs_only_itself(void **state)
{
    struct bench *bench = *state;
    struct stat status;

    add(bench, 1, COMMAND_OK);
    add(bench, 2, COMMAND_OK);
    assert_int_equal(stat(bench->path, &status), 0);
    assert_int_equal(truncate(bench->path, status.st_size - 5), 0);
    assert_int_equal(reload(bench), 1);
    assert_int_equal(bench->n_loaded, 1);
    add(bench, 3, COMMAND_OK);
    assert_int_equal(reload(bench), 1);
    assert_int_equal(bench->n_loaded, 2);
    assert_string_equal(bench->last_id, "id 3");
}

static void it_is_bounded_and_keeps_the_last(void **state)
{
    struct bench *bench = *state;
    struct stat status;

    for (int i = 0; i < 1000; i++)
        add(bench, i, COMMAND_OK);
    assert_int_equal(stat(bench->path, &status), 0);
    assert_in_range(status.st_size, 1, BOUND);
    assert_int_equal(reload(bench), 0);
    assert_in_range(bench->n_loaded, BOUND / 128, 2 * BOUND / 64);
    assert_string_equal(bench->last_id, "id 999");
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct ledger_file *file;

    (void)state;
    assert_int_not_equal(ledger_file_open(&file, "/nowhere/at/all", BOUND), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_found_in_order),
        TEST(a_line_cut_short_costs_only_itself),
        TEST(it_is_bounded_and_keeps_the_last),
        TEST(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests_name("ledger_file", tests, NULL, NULL);
}
