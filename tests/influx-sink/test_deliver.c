#include "deliver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct deliver_options options = {.lines_max = 5000,
                                               .backoff_first_ms = 500,
                                               .backoff_max_ms = 30000,
                                               .breaker_threshold = 5,
                                               .breaker_open_ms = 10000};

/* A store that refuses the lines marked bad, and batches of more than `most`. */
struct store {
    bool bad[5000];
    size_t most;
    bool keeps_the_rest; /* as InfluxDB 1.x does with a partial write */
    unsigned stored[5000], dead[5000], large[5000];
    size_t n_posts, largest;
};

static struct deliver_answer store_answer(struct store *store, size_t from, size_t to)
{
    bool bad = false;

    store->n_posts++;
    store->largest = to - from > store->largest ? to - from : store->largest;
    if (to - from > store->most)
        return (struct deliver_answer){.status = 413};
    for (size_t i = from; i < to; i++)
        bad = bad || store->bad[i];
    return (struct deliver_answer){.status = bad ? 400 : 204};
}

/* Delivers n lines; checks that each was stored or is dead, once. */
static void deliver_all(struct deliver *deliver, struct store *store, size_t n)
{
    struct delivery delivery;
    struct deliver_next next;

    delivery_begin(&delivery, n);
    while ((next = deliver_next(deliver, &delivery, 0)).step != DELIVER_DONE) {
        struct deliver_answer answer;
        enum deliver_verdict verdict;

        assert_int_equal(next.step, DELIVER_POST);
        assert_true(next.from < next.to && next.to <= n);
        answer = store_answer(store, next.from, next.to);
        verdict = deliver_take(deliver, &delivery, &answer, 0, 0);
        for (size_t i = next.from; verdict == DELIVER_STORED && i < next.to; i++)
            store->stored[i]++;
        store->dead[next.from] += verdict == DELIVER_REFUSED;
        store->large[next.from] += verdict == DELIVER_TOO_LARGE;
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(store->stored[i] + store->dead[i] + store->large[i], 1);
        assert_int_equal(store->dead[i], store->bad[i] && store->most > 0);
    }
}

static void test_good_lines_go_in_whole_batches(void **state)
{
    struct store store = {.most = 5000};
    struct deliver deliver;

    (void)state;
    deliver_init(&deliver, &options);
    deliver_all(&deliver, &store, 5000);
    assert_int_equal(store.n_posts, 1);
    deliver_all(&deliver, &(struct store){.most = 5000}, 1);
}

static void test_one_bad_line_is_found_wherever_it_is(void **state)
{
    struct deliver deliver;

    (void)state;
    deliver_init(&deliver, &options);
    for (size_t place = 0; place < 1000; place += 37) {
        struct store store = {.most = 5000};

        store.bad[place] = true;
        deliver_all(&deliver, &store, 1000);
        assert_true(store.n_posts <= 25); /* about twice the logarithm */
    }
}

static void test_many_bad_lines(void **state)
{
    struct deliver deliver;
    unsigned seed = 7;

    (void)state;
    deliver_init(&deliver, &options);
    for (int round = 0; round < 50; round++) {
        struct store store = {.most = 5000};
        size_t n = 1 + (size_t)rand_r(&seed) % 300;

        for (size_t i = 0; i < n; i++)
            store.bad[i] = rand_r(&seed) % (1 + round) == 0; /* from all of them to a few */
        deliver_all(&deliver, &store, n);
    }
}

static void test_too_large_is_remembered(void **state)
{
    struct store store = {.most = 700};
    struct deliver deliver;

    (void)state;
    deliver_init(&deliver, &options);
    deliver_all(&deliver, &store, 5000);
    memset(&store, 0, sizeof(store));
    store.most = 700;
    deliver_all(&deliver, &store, 5000);
    assert_int_equal(store.n_posts, 8); /* 625 at once, none refused */
    memset(&store, 0, sizeof(store));
    deliver_all(&deliver, &store, 5); /* even one is too large */
    assert_int_equal(store.large[4], 1);
}

/* One message that was far too large must not make all posts small for ever. */
static void test_size_grows_back(void **state)
{
    struct store store = {.most = 700};
    struct deliver deliver;

    (void)state;
    deliver_init(&deliver, &options);
    deliver_all(&deliver, &store, 5000);
    assert_true(deliver.lines_max < 700);
    for (int i = 0; i < 100; i++)
        deliver_all(&deliver, &(struct store){.most = 5000}, 5000);
    assert_int_equal(deliver.lines_max, 5000);
}

/* One post of a batch of n lines, and what is made of the answer. */
static enum deliver_verdict answer_with(struct deliver *deliver, struct delivery *delivery,
                                        int status, size_t n)
{
    struct deliver_answer answer = {.status = status};

    delivery_begin(delivery, n);
    assert_int_equal(deliver_next(deliver, delivery, 0).step, DELIVER_POST);
    return deliver_take(deliver, delivery, &answer, 0, 0);
}

static void test_meaning_of_each_status(void **state)
{
    static const struct {
        int status;
        enum deliver_verdict verdict;
        bool done;
    } cases[] = {
        {200, DELIVER_STORED, true}, {204, DELIVER_STORED, true}, {422, DELIVER_REST_STORED, true},
        {400, DELIVER_SPLIT, false}, {413, DELIVER_SPLIT, false}, {401, DELIVER_HELD, false},
        {403, DELIVER_HELD, false},  {404, DELIVER_HELD, false},  {405, DELIVER_HELD, false},
        {301, DELIVER_HELD, false},  {307, DELIVER_HELD, false},  {408, DELIVER_AWAY, false},
        {429, DELIVER_AWAY, false},  {500, DELIVER_AWAY, false},  {502, DELIVER_AWAY, false},
        {503, DELIVER_AWAY, false},  {0, DELIVER_AWAY, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct deliver deliver;
        struct delivery delivery;

        deliver_init(&deliver, &options);
        assert_int_equal(answer_with(&deliver, &delivery, cases[i].status, 10), cases[i].verdict);
        assert_int_equal(deliver_next(&deliver, &delivery, INT64_MAX / 2).step == DELIVER_DONE,
                         cases[i].done);
        assert_int_equal(deliver_next(&deliver, &delivery, INT64_MAX / 2).from, 0);
    }
}

static void test_an_answer_that_lies(void **state)
{
    struct deliver_answer lie = {.status = 200, .says_error = true};
    struct deliver deliver;
    struct delivery delivery;

    (void)state;
    deliver_init(&deliver, &options);
    delivery_begin(&delivery, 10);
    deliver_next(&deliver, &delivery, 0);
    assert_int_equal(deliver_take(&deliver, &delivery, &lie, 0, 0), DELIVER_AWAY);
    assert_int_equal(deliver_next(&deliver, &delivery, 1000).from, 0);
}

static void test_retry_after_is_the_floor(void **state)
{
    struct deliver_answer busy = {.status = 429, .retry_after_ms = 7000};
    struct deliver_next next;
    struct deliver deliver;
    struct delivery delivery;

    (void)state;
    deliver_init(&deliver, &options);
    delivery_begin(&delivery, 10);
    deliver_next(&deliver, &delivery, 100);
    deliver_take(&deliver, &delivery, &busy, 0, 100);
    next = deliver_next(&deliver, &delivery, 101);
    assert_int_equal(next.step, DELIVER_WAIT);
    assert_true(next.at_ms >= 7100);
    assert_int_equal(deliver_next(&deliver, &delivery, next.at_ms - 1).step, DELIVER_WAIT);
    assert_int_equal(deliver_next(&deliver, &delivery, next.at_ms).step, DELIVER_POST);
}

static void test_one_small_probe_then_growing(void **state)
{
    struct deliver_answer away = {.status = 0}, stored = {.status = 204};
    struct deliver deliver;
    struct delivery delivery;
    struct deliver_next next;
    int64_t now_ms = 0;
    size_t last = 1, n_posts = 0;

    (void)state;
    deliver_init(&deliver, &options);
    delivery_begin(&delivery, 3000);
    while (deliver.breaker.state == BREAKER_CLOSED) {
        next = deliver_next(&deliver, &delivery, now_ms);
        if (next.step == DELIVER_WAIT) {
            now_ms = next.at_ms;
            continue;
        }
        assert_int_equal(next.to, 3000);
        deliver_take(&deliver, &delivery, &away, UINT64_MAX, now_ms);
        n_posts++;
    }
    assert_int_equal(n_posts, 5);
    next = deliver_next(&deliver, &delivery, now_ms);
    assert_int_equal(next.step, DELIVER_WAIT);
    now_ms += 60000;
    next = deliver_next(&deliver, &delivery, now_ms);
    assert_int_equal(next.step, DELIVER_POST);
    assert_int_equal(next.to - next.from, 1); /* half-open: one line */
    assert_int_equal(deliver_next(&deliver, &delivery, now_ms).step,
                     DELIVER_WAIT); /* and one probe at a time */
    assert_int_equal(deliver_take(&deliver, &delivery, &stored, 0, now_ms), DELIVER_STORED);
    while ((next = deliver_next(&deliver, &delivery, now_ms)).step == DELIVER_POST) {
        assert_true(next.to - next.from <= 2 * last);
        last = next.to - next.from;
        deliver_take(&deliver, &delivery, &stored, 0, now_ms);
    }
    assert_int_equal(next.step, DELIVER_DONE);
}

/* While the store is in trouble there is one post; when it is well there may be two. */
static void test_two_batches_share_one_store(void **state)
{
    struct deliver_answer away = {.status = 0}, stored = {.status = 204};
    struct delivery first, second;
    struct deliver deliver;
    struct deliver_next next;

    (void)state;
    deliver_init(&deliver, &options);
    delivery_begin(&first, 100);
    delivery_begin(&second, 200);
    assert_int_equal(deliver_next(&deliver, &first, 0).step, DELIVER_POST);
    assert_int_equal(deliver_next(&deliver, &second, 0).step, DELIVER_POST);
    deliver_take(&deliver, &first, &away, 0, 10);
    next = deliver_next(&deliver, &first, 10000);
    assert_int_equal(next.step, DELIVER_WAIT); /* the second one is still out */
    assert_int_equal(next.at_ms, INT64_MAX);
    deliver_take(&deliver, &second, &away, 0, 20);
    assert_int_equal(deliver_next(&deliver, &first, 10000).step, DELIVER_POST);
    assert_int_equal(deliver_next(&deliver, &second, 10000).step, DELIVER_WAIT);
    deliver_take(&deliver, &first, &stored, 0, 10001);
    assert_int_equal(deliver_next(&deliver, &first, 10001).step, DELIVER_DONE);
    next = deliver_next(&deliver, &second, 10001);
    assert_int_equal(next.step, DELIVER_POST);
    assert_int_equal(next.to, 200);
}

/* The bad line of one batch is looked for while the other one goes on in whole posts. */
static void test_one_is_halved_the_other_is_not(void **state)
{
    struct deliver_answer refused = {.status = 400}, stored = {.status = 204};
    struct delivery bad, good;
    struct deliver deliver;
    struct deliver_next next;
    size_t size = 1000;

    (void)state;
    deliver_init(&deliver, &options);
    delivery_begin(&bad, 1000);
    while (size > 1) { /* it is the first line */
        next = deliver_next(&deliver, &bad, 0);
        assert_int_equal(next.to - next.from, size);
        size = (size + 1) / 2;
        delivery_begin(&good, 1000);
        assert_int_equal(deliver_next(&deliver, &good, 0).to, 1000);
        assert_int_equal(deliver_take(&deliver, &good, &stored, 0, 0), DELIVER_STORED);
        assert_int_equal(deliver_take(&deliver, &bad, &refused, 0, 0), DELIVER_SPLIT);
    }
    deliver_next(&deliver, &bad, 0);
    assert_int_equal(deliver_take(&deliver, &bad, &refused, 0, 0), DELIVER_REFUSED);
    next = deliver_next(&deliver, &bad, 0);
    assert_int_equal(next.from, 1);
    assert_int_equal(next.to, 1000);
}

/* What was on its way when the first 413 came is told the same, and makes nothing large again. */
static void test_both_are_too_large(void **state)
{
    struct deliver_answer large = {.status = 413};
    struct delivery first, second;
    struct deliver deliver;

    (void)state;
    deliver_init(&deliver, &options);
    delivery_begin(&first, 1000);
    delivery_begin(&second, 5000);
    deliver_next(&deliver, &first, 0);
    deliver_next(&deliver, &second, 0);
    deliver_take(&deliver, &first, &large, 0, 0);
    deliver_take(&deliver, &second, &large, 0, 0);
    assert_int_equal(deliver.lines_max, 500);
    assert_int_equal(deliver_next(&deliver, &second, 0).to, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines_go_in_whole_batches),
        cmocka_unit_test(test_one_bad_line_is_found_wherever_it_is),
        cmocka_unit_test(test_many_bad_lines),
        cmocka_unit_test(test_too_large_is_remembered),
        cmocka_unit_test(test_size_grows_back),
        cmocka_unit_test(test_meaning_of_each_status),
        cmocka_unit_test(test_an_answer_that_lies),
        cmocka_unit_test(test_retry_after_is_the_floor),
        cmocka_unit_test(test_one_small_probe_then_growing),
        cmocka_unit_test(test_two_batches_share_one_store),
        cmocka_unit_test(test_one_is_halved_the_other_is_not),
        cmocka_unit_test(test_both_are_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
