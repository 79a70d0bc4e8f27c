/* The agenda against a plain array that is searched. */
#include "agenda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define N_ITEMS 50

static struct agenda_item *search(struct agenda_item *items)
{
    struct agenda_item *first = NULL;
    for (size_t i = 0; i < N_ITEMS; i++)
        if (items[i].place && (!first || items[i].at_ms < first->at_ms ||
                               (items[i].at_ms == first->at_ms && items[i].order < first->order)))
            first = &items[i];
    return first;
}

static void test_against_search(void **state)
{
    (void)state;
    struct agenda agenda = {0};
    struct agenda_item items[N_ITEMS];
    unsigned seed = 1;
    for (size_t i = 0; i < N_ITEMS; i++)
        items[i] = (struct agenda_item){.order = i};
    assert_int_equal(agenda_reserve(&agenda, N_ITEMS), 0);
    for (int i = 0; i < 20000; i++) {
        struct agenda_item *item = &items[rand_r(&seed) % N_ITEMS];
        if (rand_r(&seed) % 3 == 0)
            agenda_remove(&agenda, item);
        else
            agenda_set(&agenda, item, rand_r(&seed) % 40);
        assert_ptr_equal(agenda_first(&agenda), search(items));
    }
    agenda_free(&agenda);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_search)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
