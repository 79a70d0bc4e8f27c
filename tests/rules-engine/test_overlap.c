/* The order in which those that may meet follow each other, against asking each about each. */
#include "overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_PLACES 400

struct texts {
    char name[8], device[8];
};

/* Few letters, so that much of it meets. */
static void random_text(char out[8], unsigned *seed, const char *letters, size_t longest)
{
    size_t n = 1 + (size_t)rand_r(seed) % longest;
    for (size_t i = 0; i < n; i++)
        out[i] = letters[(size_t)rand_r(seed) % strlen(letters)];
    out[n] = '\0';
}

static int by_place(const void *a, const void *b)
{
    return overlap_order(a, b);
}

static void those_that_may_meet_follow(void **state)
{
    (void)state;
    unsigned seed = 1;
    size_t n_met = 0, n_asked = 0;
    struct texts texts[N_PLACES];
    struct overlap_place places[N_PLACES];
    for (size_t i = 0; i < N_PLACES; i++) {
        random_text(texts[i].name, &seed, "xy", 2);
        random_text(texts[i].device, &seed, "aabbc*", 5);
        places[i] = (struct overlap_place){texts[i].name, texts[i].device};
    }
    qsort(places, N_PLACES, sizeof(*places), by_place);
    for (size_t i = 0; i < N_PLACES; i++) {
        bool follows = true;
        for (size_t j = i + 1; j < N_PLACES; j++) {
            follows = follows && overlap_follows(&places[i], &places[j]);
            n_asked += follows;
            if (strcmp(places[i].name, places[j].name) != 0 ||
                !overlap_names(places[i].device, places[j].device))
                continue;
            n_met++;
            if (!follows)
                fail_msg("%s %s is not found from %s", places[j].name, places[j].device,
                         places[i].device);
        }
    }
    assert_in_range(n_met, N_PLACES, n_asked);
    assert_in_range(n_asked, n_met, 5 * n_met / 2); /* few are asked in vain */
}

static void names_without_a_star_are_told_apart(void **state)
{
    (void)state;
    struct overlap_place one = {"r", "plant_1"}, ten = {"r", "plant_10"}, all = {"r", "plant_1*"};
    assert_false(overlap_follows(&one, &ten));
    assert_true(overlap_follows(&one, &one));
    assert_true(overlap_order(&all, &one) < 0);
    assert_true(overlap_follows(&all, &one));
    assert_true(overlap_follows(&all, &ten));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_may_meet_follow),
        cmocka_unit_test(names_without_a_star_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
