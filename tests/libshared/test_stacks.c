/* Threads that say nothing of their stacks, as those of libraries. */
#include "stacks.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void *own_size(void *self)
{
    pthread_attr_t attributes;

    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, self);
        pthread_attr_destroy(&attributes);
    }
    return NULL;
}

static void they_are_small(void **state)
{
    pthread_t thread;
    size_t size = 0;

    (void)state;
    stacks_bound();
    assert_int_equal(pthread_create(&thread, NULL, own_size, &size), 0);
    pthread_join(thread, NULL);
    assert_in_range(size, 256 * 1024, 1024 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_are_small)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
