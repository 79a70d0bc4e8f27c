/* news.c in virtual time: a level with a dead-band and a name. */
#include "news.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEARTBEAT_MS 60000

struct fixture {
    struct group_point points[2];
    struct group_settings group;
    struct news news;
    int results[2];
    uint16_t cells[2];
    int64_t now_ms;
};

static void set_point(struct group_point *point, const char *name, size_t cell)
{
    *point = (struct group_point){.span = {TABLE_HOLDING, (unsigned)cell, 1},
                                  .encoding = {.type = DATA_UINT16},
                                  .first_cell = cell};
    snprintf(point->point.name, sizeof point->point.name, "%s", name);
    point->point.scale = 0.1;
    point->point.decimals = 1;
    point->point.min = -INFINITY;
    point->point.max = INFINITY;
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.now_ms = 1000000};
    set_point(&f->points[0], "level", 0);
    set_point(&f->points[1], "flow", 1);
    f->points[0].band.absolute = 1;
    f->group = (struct group_settings){.on_change = true,
                                       .heartbeat_ms = HEARTBEAT_MS,
                                       .points = f->points,
                                       .n_points = 2,
                                       .n_cells = 2};
    assert_int_equal(news_open(&f->news, &f->group), 0);
}

/* A second later. */
static bool due(struct fixture *f, uint16_t level, uint16_t flow)
{
    f->now_ms += 1000;
    f->cells[0] = level;
    f->cells[1] = flow;
    return news_due(&f->news, f->results, f->cells, f->now_ms);
}

static void the_same_cells_are_no_news(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    assert_true(due(&f, 100, 7));
    assert_false(due(&f, 100, 7));
    assert_true(due(&f, 100, 8));
    assert_false(due(&f, 100, 8));
    news_close(&f.news);
}

/* The band is around what was published, also where rounds within it differ from each other. */
static void within_the_band_nothing_is_news(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    assert_true(due(&f, 100, 7));
    assert_false(due(&f, 105, 7));
    assert_false(due(&f, 110, 7));
    assert_false(due(&f, 110, 7));
    assert_true(due(&f, 111, 7));
    assert_false(due(&f, 101, 7));
    news_close(&f.news);
}

static void a_fault_and_its_end_are_news(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    assert_true(due(&f, 100, 7));
    f.results[1] = 2;
    assert_true(due(&f, 100, 7));
    assert_false(due(&f, 100, 7));
    f.results[1] = -ETIMEDOUT;
    assert_true(due(&f, 100, 7));
    f.results[1] = 0;
    assert_true(due(&f, 100, 7));
    news_close(&f.news);
}

static void the_heartbeat_is_kept(void **state)
{
    struct fixture f;
    int told = 0;

    (void)state;
    begin(&f);
    for (int i = 0; i < 10 * HEARTBEAT_MS / 1000; i++)
        told += due(&f, 100, 7);
    assert_int_equal(told, 10);
    news_close(&f.news);
}

static void what_was_forgotten_is_news(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    assert_true(due(&f, 100, 7));
    news_forget(&f.news);
    assert_true(due(&f, 100, 7));
    assert_false(due(&f, 100, 7));
    news_close(&f.news);
}

static void always_is_always(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    news_close(&f.news);
    f.group.on_change = false;
    assert_int_equal(news_open(&f.news, &f.group), 0);
    assert_true(due(&f, 100, 7));
    assert_true(due(&f, 100, 7));
    news_close(&f.news);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_cells_are_no_news),
        cmocka_unit_test(within_the_band_nothing_is_news),
        cmocka_unit_test(a_fault_and_its_end_are_news),
        cmocka_unit_test(the_heartbeat_is_kept),
        cmocka_unit_test(what_was_forgotten_is_news),
        cmocka_unit_test(always_is_always),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
