/* guess.c: what registers are taken for, alone and in view of their neighbours. */
#include "guess.h"

#include "likelihood.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CELLS_MAX 64

/* A run that is filled value by value. */
struct map {
    uint16_t cells[CELLS_MAX];
    size_t n;
};

static void put(struct map *map, enum data_type type, const char *order, double number)
{
    struct encoding encoding = {.type = type};

    assert_int_equal(encoding_set_order(&encoding, order), 0);
    assert_int_equal(encode(&encoding, number, map->cells + map->n), 0);
    map->n += encoding_cells(&encoding);
}

static struct guesses guesses_of(const struct map *map)
{
    const struct guess_run run = {map->cells, map->n};
    struct guesses guesses;

    assert_int_equal(guess(&guesses, &run, 1), 0);
    return guesses;
}

/* The most plausible one that begins there. */
static const struct guess *best_at(const struct guesses *guesses, size_t at)
{
    for (size_t i = 0; i < guesses->n; i++)
        if (guesses->items[i].at == at)
            return &guesses->items[i];
    fail_msg("nothing at %zu", at);
    return NULL;
}

static void assert_best(const struct guesses *guesses, size_t at, enum data_type type,
                        const char *order)
{
    const struct guess *best = best_at(guesses, at);

    if (best->encoding.type != type || strcmp(guess_order(&best->encoding), order) != 0)
        fail_msg("at %zu: %s %s", at, data_type_names[best->encoding.type],
                 guess_order(&best->encoding));
    assert_true(best->plausibility > 0.3);
}

static void a_meter_of_floats_in_every_order(void **state)
{
    static const char *const orders[] = {"ABCD", "CDAB", "BADC", "DCBA"};

    (void)state;
    for (size_t o = 0; o < 4; o++) {
        struct map map = {0};
        struct guesses guesses;

        put(&map, DATA_FLOAT32, orders[o], 229.37);
        put(&map, DATA_FLOAT32, orders[o], 3.3125);
        put(&map, DATA_FLOAT32, orders[o], 701.84);
        put(&map, DATA_FLOAT32, orders[o], -12.77);
        put(&map, DATA_FLOAT32, orders[o], 49.98);
        guesses = guesses_of(&map);
        for (size_t at = 0; at < map.n; at += 2)
            assert_best(&guesses, at, DATA_FLOAT32, orders[o]);
        guess_free(&guesses);
    }
}

static void words_are_no_floats(void **state)
{
    const struct map map = {{2301, 2298, 2305, 4998, 65531, 21, 187, 3}, 8};
    struct guesses guesses = guesses_of(&map);

    (void)state;
    for (size_t at = 0; at < map.n; at++)
        assert_best(&guesses, at, at == 4 ? DATA_INT16 : DATA_UINT16, "AB");
    guess_free(&guesses);
}

static void neighbours_say_what_a_zero_belongs_to(void **state)
{
    struct map longs = {0};
    struct map words = {{2301, 0, 4998, 12, 187, 0, 1712, 33, 950, 2299}, 10};
    struct guesses guesses;

    (void)state;
    put(&longs, DATA_UINT32, "ABCD", 2301);
    put(&longs, DATA_UINT32, "ABCD", 123456);
    put(&longs, DATA_UINT32, "ABCD", 4811);
    put(&longs, DATA_UINT32, "ABCD", 9912346);
    put(&longs, DATA_UINT32, "ABCD", 812);
    guesses = guesses_of(&longs);
    for (size_t at = 0; at < longs.n; at += 2)
        assert_best(&guesses, at, DATA_UINT32, "ABCD");
    guess_free(&guesses);
    guesses = guesses_of(&words);
    assert_best(&guesses, 0, DATA_UINT16, "AB");
    assert_best(&guesses, 2, DATA_UINT16, "AB");
    guess_free(&guesses);
}

/* Each register is in one value at most, so that what is plausible about it adds up to 1 at most.
 */
static void plausibilities_are_probabilities(void **state)
{
    struct map map = {{0x4365, 0x999a, 0, 2301, 0xffff, 0x8000, 0x1234, 0x5678, 0x7fc0, 0}, 10};
    struct guesses guesses = guesses_of(&map);

    (void)state;
    for (size_t cell = 0; cell < map.n; cell++) {
        double sum = 0;

        for (size_t i = 0; i < guesses.n; i++) {
            const struct guess *item = &guesses.items[i];

            assert_true(item->plausibility >= 0 && item->plausibility <= 1 + 1e-9);
            if (item->at <= cell && cell < item->at + encoding_cells(&item->encoding))
                sum += item->plausibility;
        }
        assert_true(sum <= 1 + 1e-6);
    }
    guess_free(&guesses);
}

static void shows_each_type_in_each_order_once(void **state)
{
    struct map map = {{1, 2, 3, 4}, 4};
    struct guesses guesses = guesses_of(&map);
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < guesses.n; i++)
        n += guesses.items[i].at == 0;
    assert_int_equal(n, 4 /* one byte */ + 4 * 2 /* one register */ + 4 * 4 + 3 * 4);
    guess_free(&guesses);
}

static void picks_what_is_expected(void **state)
{
    struct map map = {{2301, 4998, 12, 65486, 330}, 5};
    struct guesses guesses = guesses_of(&map);
    struct guess_pick picks[3];

    (void)state;
    assert_true(guess_pick(picks, 3, &guesses, &(struct expectation){230, 1}) > 0);
    assert_true(picks[0].guess->at == 0 && picks[0].divide == 10);
    assert_true(guess_pick(picks, 3, &guesses, &(struct expectation){-0.5, 0.01}) > 0);
    assert_true(picks[0].guess->at == 3 && picks[0].divide == 100);
    assert_int_equal(picks[0].guess->encoding.type, DATA_INT16);
    assert_int_equal(guess_pick(picks, 3, &guesses, &(struct expectation){1e9, 1}), 0);
    guess_free(&guesses);
}

static void the_best_pick_comes_first(void **state)
{
    struct map map = {{230, 2300, 23000, 230}, 4};
    struct guesses guesses = guesses_of(&map);
    struct guess_pick picks[4];
    size_t n = guess_pick(picks, 4, &guesses, &(struct expectation){230, 1});

    (void)state;
    assert_int_equal(n, 4);
    for (size_t i = 1; i < n; i++)
        assert_true(picks[i - 1].plausibility >= picks[i].plausibility);
    assert_true(picks[0].divide == 1);
    guess_free(&guesses);
}

static void takes_nothing_at_all(void **state)
{
    struct guesses guesses;

    (void)state;
    assert_int_equal(guess(&guesses, NULL, 0), 0);
    assert_int_equal(guesses.n, 0);
    guess_free(&guesses);
}

/* Of the types of one register every cell is some value: all together are one. */
static void likelihoods_add_up_to_one(void **state)
{
    static const enum data_type types[] = {DATA_UINT16, DATA_INT16, DATA_UINT8,
                                           DATA_INT8,   DATA_BCD16, DATA_FLOAT16};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct encoding encoding = {.type = types[i]};
        double sum = 0;

        for (unsigned cell = 0; cell <= UINT16_MAX; cell++)
            sum += exp2(likelihood_log2(&encoding, &(uint16_t){(uint16_t)cell}));
        if (sum < 0.7 || sum > 1.1)
            fail_msg("%s: %g", data_type_names[types[i]], sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_meter_of_floats_in_every_order),
        cmocka_unit_test(words_are_no_floats),
        cmocka_unit_test(neighbours_say_what_a_zero_belongs_to),
        cmocka_unit_test(plausibilities_are_probabilities),
        cmocka_unit_test(shows_each_type_in_each_order_once),
        cmocka_unit_test(picks_what_is_expected),
        cmocka_unit_test(the_best_pick_comes_first),
        cmocka_unit_test(takes_nothing_at_all),
        cmocka_unit_test(likelihoods_add_up_to_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
