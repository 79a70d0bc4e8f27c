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
    outcome_settle(outcome, 3);
    assert_int_equal(totals_of(account).stored, 7);
    assert_int_equal(totals_of(account).dead, 3);
    assert_int_equal(account_totals(account).stored + account_totals(account).dead, 10);
    outcome_take(outcome, &sensors, 5, 0);
    outcome_clear(outcome); /* the batch is read again */
    outcome_take(outcome, &sensors, 5, 5);
    outcome_settle(outcome, 4);
    assert_int_equal(totals_of(account).stored, 7);
    assert_int_equal(totals_of(account).dead, 8);
    free(outcome);
    free(account);
}

static void test_record_that_was_settled_does_not_count_again(void **state)
{
    struct account *account = calloc(1, sizeof(*account));
    struct outcome *outcome = calloc(1, sizeof(*outcome));

    (void)state;
    *outcome = (struct outcome){.account = account, .root = "iot"};
    outcome_take(outcome, &sensors, 10, 0);
    outcome_settle(outcome, 10);
    account_resume(account, 15); /* killed before the cursor moved */
    for (uint64_t record = 0; record < 15; record++)
        if (outcome_wants(outcome, record))
            outcome_take(outcome, &sensors, 1, 0);
        else
            outcome->first_line = record + 1;
    outcome_bury(outcome, &telemetry, 9);
    outcome_bury(outcome, &telemetry, 10);
    outcome_settle(outcome, 15);
    assert_int_equal(totals_of(account).stored, 14);
    assert_int_equal(totals_of(account).dead, 1);
    assert_false(outcome_wants(outcome, 14));
    account_resume(account, 3); /* another spool */
    assert_true(outcome_wants(outcome, 0));
    free(outcome);
    free(account);
}

/* All of a settlement, or nothing, is there after a kill at any instruction. */
static void test_kill_while_it_settles(void **state)
{
    static const size_t size = sizeof(struct account);
    struct account *account =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    static uint32_t n[ACCOUNT_SERIES_MAX][ACCOUNT_ENDS];

    (void)state;
    assert_ptr_not_equal(account, MAP_FAILED);
    for (size_t i = 0; i < ACCOUNT_SERIES_MAX; i++)
        n[i][ACCOUNT_STORED] = 1;
    for (int round = 0; round < 200; round++) {
        uint64_t before = account_settled(account);
        pid_t child = fork();

        assert_true(child >= 0);
        while (child == 0)
            account_settle(account, n, account_settled(account) + 1);
        while (*(volatile uint64_t *)&account->ends[0].next < before + 2)
            usleep(10);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        for (size_t i = 0; i < ACCOUNT_SERIES_MAX; i++)
            assert_int_equal(account_series_totals(account, &account->series[i]).stored,
                             account_settled(account));
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

    (void)state;
    atomic_store(&series->state, ACCOUNT_CLAIMED);
    account_resume(account, 0);
    assert_ptr_equal(account_find(account, &sensors), series);
    assert_int_equal(atomic_load(&series->state), ACCOUNT_USED);
    free(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_is_settled_as_a_whole),
        cmocka_unit_test(test_record_that_was_settled_does_not_count_again),
        cmocka_unit_test(test_kill_while_it_settles),
        cmocka_unit_test(test_two_threads_find_the_same),
        cmocka_unit_test(test_half_named_series_is_free_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
