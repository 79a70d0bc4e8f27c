/* How readings ended, in the ledger: exactly once, whoever is killed when. */
#include "outcome.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TOPICS 500

static const struct message telemetry = {.topic = "iot/a/b/telemetry/sensors", .topic_length = 25};
static const struct topic sensors = {
    .kind = TOPIC_TELEMETRY, .location = "a", .device = "b", .name = "sensors"};

static struct account_totals totals_of(struct account *account)
{
    return account_series_totals(account, account_find(account, &sensors));
}

/* So many records of one reading each. */
static void receive(struct account *account, uint64_t n)
{
    for (uint64_t i = 1; i <= n; i++) {
        account_take(account, account_find(account, &sensors), i, (int64_t)i);
        account_took_record(account);
    }
}

static void test_batch_is_settled_as_a_whole(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct outcome *outcome = calloc(1, sizeof(*outcome));
    const struct topic alert = {.kind = TOPIC_ALERT, .location = "a", .device = "b", .name = "hot"},
                       strange = {0};

    (void)state;
    *outcome = (struct outcome){.account = account, .root = "iot"};
    outcome_take(outcome, &sensors, 10, 2);
    outcome_take(outcome, &alert, 1, 0);
    outcome_take(outcome, &strange, 1, 1);
    outcome_bury(outcome, &telemetry, 3);
    assert_int_equal(account_totals(account).stored, 0);
    outcome_settle(outcome, 0, 3);
    assert_int_equal(totals_of(account).stored, 7);
    assert_int_equal(totals_of(account).dead, 3);
    assert_int_equal(account_totals(account).stored + account_totals(account).dead, 10);
    outcome_take(outcome, &sensors, 5, 0);
    outcome_clear(outcome); /* the batch is read again */
    outcome_take(outcome, &sensors, 5, 5);
    outcome_settle(outcome, 3, 4);
    assert_int_equal(totals_of(account).stored, 7);
    assert_int_equal(totals_of(account).dead, 8);
    free(outcome);
    free(account);
}

static void test_record_that_was_settled_does_not_count_again(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct outcome *outcome = calloc(1, sizeof(*outcome));
    uint64_t n;

    (void)state;
    *outcome = (struct outcome){.account = account, .root = "iot"};
    receive(account, 15);
    outcome_take(outcome, &sensors, 4, 0);
    outcome_settle(outcome, 0, 4);
    outcome_take(outcome, &sensors, 6, 0); /* overtaken by these */
    outcome_settle(outcome, 7, 13);
    assert_int_equal(account_totals(account).stored, 10);
    assert_int_equal(account_totals(account).waiting, 5);
    assert_false(account_resume(account, 0, 15, &n)); /* killed before the cursor moved */
    for (uint64_t record = 0; record < 15; record++)
        if (outcome_wants(outcome, record))
            outcome_take(outcome, &sensors, 1, 0);
    outcome_bury(outcome, &telemetry, 3);
    outcome_bury(outcome, &telemetry, 4);
    outcome_bury(outcome, &telemetry, 12);
    outcome_settle(outcome, 0, 15);
    assert_int_equal(totals_of(account).stored, 14);
    assert_int_equal(totals_of(account).dead, 1);
    assert_int_equal(account_totals(account).waiting, 0);
    free(outcome);
    free(account);
}

/* What the table knows nothing of is no concern of it: a spool from before it, and another spool.
 */
static void test_spool_of_others(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct outcome *outcome = calloc(1, sizeof(*outcome));
    uint64_t n;

    (void)state;
    *outcome = (struct outcome){.account = account, .root = "iot"};
    assert_false(account_resume(account, 0, 100, &n));
    assert_false(outcome_wants(outcome, 99));
    assert_true(outcome_wants(outcome, 100));
    receive(account, 10);
    outcome_take(outcome, &sensors, 6, 0);
    outcome_settle(outcome, 104, 110);
    account_square(account);
    assert_int_equal(account_totals(account).waiting, 4);
    assert_false(account_resume(account, 0, 3, &n));
    assert_false(outcome_wants(outcome, 2));
    assert_true(outcome_wants(outcome, 3));
    account_square(account); /* the four went with their spool */
    assert_int_equal(account_totals(account).dropped, 4);
    assert_int_equal(account_totals(account).waiting, 0);
    receive(account, 5);
    account_square(account);
    assert_int_equal(account_totals(account).dropped, 4);
    assert_int_equal(account_totals(account).waiting, 5);
    outcome_take(outcome, &sensors, 4, 0); /* one of its records could not be read */
    outcome_settle(outcome, 3, 8);
    assert_int_equal(account_totals(account).waiting, 1);
    account_square(account);
    assert_int_equal(account_totals(account).dropped, 5);
    assert_int_equal(account_totals(account).waiting, 0);
    free(outcome);
    free(account);
}

/* Another target than before keeps the table, and has come further: what lies in between does not
 * wait for ever. */
static void test_cursor_that_is_ahead_of_the_table(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct outcome *outcome = calloc(1, sizeof(*outcome));
    uint64_t n;

    (void)state;
    *outcome = (struct outcome){.account = account, .root = "iot"};
    receive(account, 10);
    outcome_take(outcome, &sensors, 2, 0);
    outcome_settle(outcome, 0, 2);
    assert_false(account_resume(account, 7, 10, &n));
    assert_false(outcome_wants(outcome, 6));
    assert_true(outcome_wants(outcome, 7));
    outcome_take(outcome, &sensors, 3, 0);
    outcome_settle(outcome, 7, 10);
    account_square(account);
    assert_int_equal(account_totals(account).stored, 5);
    assert_int_equal(account_totals(account).dropped, 5);
    assert_int_equal(account_totals(account).waiting, 0);
    free(outcome);
    free(account);
}

/* Records of three readings, each counted after it was appended, by processes that are killed. */
struct received {
    struct account account;
    _Atomic uint64_t appended;
};

static void take_record(struct received *received, uint64_t record, uint64_t n_known)
{
    for (uint64_t i = n_known; i < 3; i++)
        account_take(&received->account, account_find(&received->account, &sensors),
                     3 * record + i + 1, 1 + (int64_t)record);
    account_took_record(&received->account);
}

static void test_kill_while_it_receives(void **state)
{
    struct received *received =
        mmap(NULL, sizeof(*received), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned n_left = 0;

    (void)state;
    assert_ptr_not_equal(received, MAP_FAILED);
    for (int round = 0; round < 300; round++) {
        uint64_t before = received->appended, n_known;
        pid_t child = fork();

        assert_true(child >= 0);
        while (child == 0)
            take_record(received, received->appended++, 0);
        while (received->appended < before + 2)
            usleep(10);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        if (account_resume(&received->account, 0, received->appended, &n_known)) {
            n_left++;
            take_record(received, received->appended - 1, n_known);
        }
        assert_int_equal(account_totals(&received->account).received, 3 * received->appended);
        assert_int_equal(account_totals(&received->account).missing, 0);
    }
    assert_true(n_left > 0);
    munmap(received, sizeof(*received));
}

static void settle_one(struct account *account, const uint32_t n[ACCOUNT_SLOTS][ACCOUNT_ENDS])
{
    uint64_t done = account->ends[account->ends_now].done;

    account_settle(account, n, done, done + 1);
}

/* All of a settlement, or nothing, is there after a kill at any instruction. */
static void test_kill_while_it_settles(void **state)
{
    static const size_t size = sizeof(struct account);
    struct account *account =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    static uint32_t n[ACCOUNT_SLOTS][ACCOUNT_ENDS];

    (void)state;
    assert_ptr_not_equal(account, MAP_FAILED);
    for (size_t i = 0; i < ACCOUNT_SLOTS; i++)
        n[i][ACCOUNT_STORED] = 1;
    for (int round = 0; round < 200; round++) {
        uint64_t before = atomic_load(&account->ends[account->ends_now].done);
        pid_t child = fork();

        assert_true(child >= 0);
        while (child == 0)
            settle_one(account, n);
        while (atomic_load(&account->ends[0].done) < before + 2)
            usleep(10);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        for (size_t i = 0; i < ACCOUNT_SLOTS; i++)
            assert_int_equal(account_series_totals(account, &account->series[i]).stored,
                             account->ends[account->ends_now].done);
    }
    munmap(account, size);
}

struct finder {
    struct account *account;
    struct account_series *found[TOPICS];
};

static void *find_all(void *self)
{
    struct finder *finder = self;
    struct topic topic = {.kind = TOPIC_TELEMETRY, .location = "a", .name = "sensors"};

    for (int i = 0; i < TOPICS; i++) {
        snprintf(topic.device, sizeof(topic.device), "device_%d", i);
        finder->found[i] = account_find(finder->account, &topic);
    }
    return NULL;
}

static void test_two_threads_find_the_same(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct finder finders[2] = {{.account = account}, {.account = account}};
    pthread_t threads[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_all, &finders[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < TOPICS; i++) {
        assert_non_null(finders[0].found[i]);
        assert_ptr_equal(finders[0].found[i], finders[1].found[i]);
    }
    free(account);
}

/* A process was killed while it wrote a series' names. */
static void test_half_named_series_is_free_again(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct account_series *series = account_find(account, &sensors);
    _Atomic uint32_t *slot = &account->states[series - account->series];
    uint64_t n_known;

    (void)state;
    atomic_store(slot, ACCOUNT_CLAIMED);
    account_resume(account, 0, 0, &n_known);
    assert_ptr_equal(account_find(account, &sensors), series);
    assert_int_equal(atomic_load(slot), ACCOUNT_USED);
    free(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_is_settled_as_a_whole),
        cmocka_unit_test(test_record_that_was_settled_does_not_count_again),
        cmocka_unit_test(test_spool_of_others),
        cmocka_unit_test(test_cursor_that_is_ahead_of_the_table),
        cmocka_unit_test(test_kill_while_it_receives),
        cmocka_unit_test(test_kill_while_it_settles),
        cmocka_unit_test(test_two_threads_find_the_same),
        cmocka_unit_test(test_half_named_series_is_free_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
