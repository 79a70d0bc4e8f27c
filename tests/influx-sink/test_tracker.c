/* The ledger's file, and what of a message it counts: against a real spool. */
#include "account.h"
#include "buffer.h"
#include "tracker.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64], spool_path[80], ledger_path[80], log_path[80];
static struct health *health;
static struct spool *spool;
static struct tracker *tracker;

static void open_tracker(void)
{
    struct tracker_options options = {
        .path = ledger_path, .root = "iot", .health = health, .spool = spool};

    assert_int_equal(tracker_open(&tracker, &options), 0);
}

static int set_up(void **state)
{
    struct spool_options options = {
        .directory = spool_path, .max_bytes = 8 << 20, .segment_bytes = 2 << 20};
    char error[200];

    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/fieldline-tracker.XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(spool_path, sizeof(spool_path), "%s/spool", directory);
    snprintf(ledger_path, sizeof(ledger_path), "%s/ledger", directory);
    snprintf(log_path, sizeof(log_path), "%s/log", directory);
    return health_open(&health) == 0 && spool_open(&spool, &options, error, sizeof(error)) == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    tracker_close(tracker);
    tracker = NULL;
    spool_close(spool);
    health_close(health);
    snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}

static struct account_totals totals(void)
{
    return account_totals(tracker_account(tracker));
}

static void receive(const void *payload, size_t size)
{
    struct mqtt_message message = {
        .topic = "iot/a/b/telemetry/sensors", .payload = payload, .size = size};

    assert_int_equal(spool_append(spool, "record", 6), 0);
    tracker_on_message(tracker, &message);
}

static void test_message_too_long_for_the_spool_has_no_readings(void **state)
{
    struct buffer text = {0};

    (void)state;
    open_tracker();
    for (int i = 1; i <= 60000; i++)
        buffer_format(&text, "%c{\"ts\":%d,\"seq\":%d}", i == 1 ? '[' : ',', i, i);
    buffer_char(&text, ']');
    assert_false(text.failed);
    assert_true(text.size > SPOOL_RECORD_MAX);
    receive(text.data, text.size);
    buffer_free(&text);
    assert_int_equal(totals().received, 0);
    receive("{\"ts\":1,\"seq\":1}", 16);
    assert_int_equal(totals().received, 1);
}

/* What the log says while the ledger is opened. */
static void open_logged(char *out, size_t size)
{
    int log = open(log_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), was = dup(STDERR_FILENO);
    ssize_t n;

    assert_true(log >= 0 && was >= 0);
    dup2(log, STDERR_FILENO);
    open_tracker();
    dup2(was, STDERR_FILENO);
    close(was);
    n = pread(log, out, size - 1, 0);
    out[n > 0 ? n : 0] = '\0';
    close(log);
}

static void leave_ledger(const char *magic, size_t size)
{
    int file = open(ledger_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, magic, 8), 8);
    assert_int_equal(ftruncate(file, (off_t)size), 0);
    close(file);
}

static void test_ledger_of_another_version_is_begun_anew_and_that_is_said(void **state)
{
    static const size_t sizes[] = {8, 700000, 1u << 22};
    char said[400];

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        leave_ledger("FLACCT2", sizes[i]);
        open_logged(said, sizeof(said));
        assert_non_null(strstr(said, "ledger_anew"));
        assert_int_equal(totals().received, 0);
        receive("{\"ts\":1,\"seq\":1}", 16);
        assert_int_equal(totals().received, 1);
        tracker_close(tracker);
        unlink(log_path);
    }
    open_logged(said, sizeof(said)); /* its own goes on */
    assert_null(strstr(said, "ledger_anew"));
    assert_int_equal(totals().received, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_message_too_long_for_the_spool_has_no_readings, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_ledger_of_another_version_is_begun_anew_and_that_is_said, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
