#include "health.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void sample(void *self, struct health *health)
{
    health_set(health, "depth", *(double *)self);
}

static void *raise_many(void *self)
{
    for (int i = 0; i < 10000; i++)
        health_raise(self, 1);
    return NULL;
}

static void encodes_what_was_counted(void **state)
{
    (void)state;
    struct health *health;
    struct buffer text = {0};
    double depth = 2.5;
    assert_int_equal(health_open(&health), 0);
    health_raise(health_count(health, "readings"), 3);
    health_count(health, "dropped.outbox_full");
    assert_ptr_equal(health_count(health, "readings"), health_count(health, "readings"));
    health_on_sample(health, sample, &depth);
    health_set_breaker(health, "unit_1", BREAKER_HALF_OPEN);
    assert_int_equal(health_encode(health, 1763805600123, 5000, 7, &text), 0);
    assert_non_null(
        strstr(buffer_string(&text), "\"counters\":{\"readings\":3,\"dropped.outbox_full\":0}"));
    assert_non_null(strstr(buffer_string(&text), "\"gauges\":{\"depth\":2.5}"));
    assert_non_null(strstr(buffer_string(&text), "\"breakers\":{\"unit_1\":\"half_open\"}"));
    assert_non_null(strstr(buffer_string(&text), "\"last_error\":null"));
    assert_null(strstr(buffer_string(&text), "\"rss_bytes\":0"));
    buffer_clear(&text);
    health_off_sample(health, &depth);
    depth = 9;
    health_set_error(health, 12, "no \"route\"");
    assert_int_equal(health_encode(health, 1, 1, 1, &text), 0);
    assert_non_null(strstr(buffer_string(&text), "\"depth\":2.5"));
    assert_non_null(strstr(buffer_string(&text), "{\"ts\":12,\"text\":\"no \\\"route\\\"\"}"));
    buffer_free(&text);
    health_close(health);
}

static void counts_from_many_threads(void **state)
{
    (void)state;
    struct health *health;
    pthread_t threads[4];
    assert_int_equal(health_open(&health), 0);
    health_counter *counter = health_count(health, "n");
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, raise_many, counter);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(counter), 40000);
    health_close(health);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_what_was_counted),
        cmocka_unit_test(counts_from_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
