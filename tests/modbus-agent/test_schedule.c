/* schedule.c: hours of a bus in microseconds, with time passed in. */
#include "schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNITS 4
#define GROUPS 8

/* A bus on which every request takes so long, and some units say nothing. */
struct stand {
    struct schedule_unit units[UNITS];
    struct schedule_group groups[GROUPS];
    struct schedule schedule;
    int64_t now_ms;
    int64_t took_ms[UNITS];
    bool silent[UNITS];
    unsigned rounds[GROUPS]; /* begun */
    unsigned asked[UNITS];
    int64_t latest_ms[GROUPS]; /* the longest that a round began after it was due */
};

static void stand_start(struct stand *stand, size_t n_units, size_t n_groups)
{
    stand->schedule = (struct schedule){
        .units = stand->units, .n_units = n_units, .groups = stand->groups, .n_groups = n_groups};
    for (size_t i = 0; i < n_units; i++)
        breaker_init(&stand->units[i].breaker, 5, 60000);
    schedule_start(&stand->schedule, stand->now_ms);
}

static void ask(struct stand *stand, const struct schedule_pick *pick, int64_t due_ms)
{
    size_t unit = stand->groups[pick->group].unit;

    if (pick->request == 0) {
        stand->rounds[pick->group]++;
        if (stand->now_ms - due_ms > stand->latest_ms[pick->group])
            stand->latest_ms[pick->group] = stand->now_ms - due_ms;
    }
    stand->asked[unit]++;
    stand->now_ms += stand->took_ms[unit];
    schedule_report(&stand->schedule, unit, !stand->silent[unit], stand->now_ms, 0);
    if (stand->units[unit].breaker.state != BREAKER_CLOSED)
        for (size_t i = 0; i < stand->schedule.n_groups; i++)
            if (stand->groups[i].unit == unit)
                schedule_abandon(&stand->schedule, i);
}

static void run_until(struct stand *stand, int64_t end_ms)
{
    while (stand->now_ms < end_ms) {
        int64_t due_ms[GROUPS];
        struct schedule_pick pick;

        for (size_t i = 0; i < stand->schedule.n_groups; i++)
            due_ms[i] = stand->groups[i].release_ms;
        if (schedule_next(&stand->schedule, stand->now_ms, &pick)) {
            ask(stand, &pick, due_ms[pick.group]);
            continue;
        }
        int64_t wake_ms = schedule_wake_ms(&stand->schedule, stand->now_ms);

        assert_true(wake_ms > stand->now_ms); /* else it would spin */
        stand->now_ms = wake_ms < end_ms ? wake_ms : end_ms;
    }
}

static void keeps_absolute_periods(void **state)
{
    struct stand stand = {
        .groups = {{.unit = 0, .period_ms = 10, .n_requests = 1}}, .took_ms = {3}, .now_ms = 1000};

    (void)state;
    stand_start(&stand, 1, 1);
    run_until(&stand, 1000 + 3600 * 1000);
    assert_int_equal(stand.rounds[0], 360000); /* no drift, although each round takes 3 ms */
    assert_int_equal(stand.latest_ms[0], 0);
    assert_int_equal(stand.schedule.missed, 0);
}

static void takes_the_earliest_deadline_first(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 1000, .n_requests = 1},
                                     {.unit = 1, .period_ms = 100, .n_requests = 1},
                                     {.unit = 2, .period_ms = 500, .n_requests = 1}}};
    struct schedule_pick pick;
    const size_t order[] = {1, 2, 0};

    (void)state;
    stand_start(&stand, 3, 3);
    for (size_t i = 0; i < 3; i++)
        stand.groups[i].release_ms = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(schedule_next(&stand.schedule, 10, &pick));
        assert_int_equal(pick.group, order[i]);
    }
    assert_false(schedule_next(&stand.schedule, 10, &pick));
    assert_int_equal(schedule_wake_ms(&stand.schedule, 10), 100);
}

static void lets_an_urgent_group_between_the_requests_of_a_long_one(void **state)
{
    /* 40 requests of 5 ms each a second, and a group that wants its turn every 20 ms. */
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 1000, .n_requests = 40},
                                     {.unit = 1, .period_ms = 20, .n_requests = 1}},
                          .took_ms = {5, 2}};

    (void)state;
    stand_start(&stand, 2, 2);
    run_until(&stand, 60000);
    assert_int_equal(stand.rounds[0], 60);
    assert_in_range(stand.rounds[1], 2999, 3000);
    assert_in_range(stand.latest_ms[1], 0, 5); /* one request of the other */
    assert_int_equal(stand.schedule.missed, 0);
}

static void counts_what_a_busy_bus_misses_and_does_not_catch_up(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 10, .n_requests = 1}},
                          .took_ms = {25}};

    (void)state;
    stand_start(&stand, 1, 1);
    run_until(&stand, 100000);
    /* Each round takes 2.5 periods: rounds done and periods missed make up all there were. */
    assert_in_range(stand.rounds[0], 3999, 4001);
    assert_in_range(stand.rounds[0] + stand.schedule.missed, 9998, 10002);
    assert_int_equal(stand.schedule.skipped, 0);
    stand.took_ms[0] = 1;
    unsigned before = stand.rounds[0];
    run_until(&stand, stand.now_ms + 1000);
    assert_in_range(stand.rounds[0] - before, 99, 101);
}

static void probes_a_dead_unit_once_each_minute_and_keeps_the_others_on_time(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 1000, .n_requests = 3},
                                     {.unit = 0, .period_ms = 200, .n_requests = 1},
                                     {.unit = 1, .period_ms = 1000, .n_requests = 1}},
                          .took_ms = {500, 2},
                          .silent = {true}};

    (void)state;
    stand_start(&stand, 2, 3);
    run_until(&stand, 3600 * 1000);
    assert_in_range(stand.asked[0], 5 + 58, 5 + 60); /* five failures, then one a minute */
    assert_in_range(stand.rounds[2], 3599, 3600);
    assert_in_range(stand.latest_ms[2], 0, 500);
    assert_in_range(stand.schedule.missed, 0, 15); /* before the breaker opened */
    assert_true(stand.schedule.skipped > 3000);
}

static void does_not_forget_a_suspect_on_a_full_bus(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 100, .n_requests = 1},
                                     {.unit = 1, .period_ms = 100, .n_requests = 1}},
                          .took_ms = {500, 100},
                          .silent = {true}};

    (void)state;
    stand_start(&stand, 2, 2);
    run_until(&stand, 120000);
    assert_in_range(stand.asked[0], 5, 8); /* the breaker has opened, after some ten seconds each */
    assert_in_range(stand.rounds[1], 1100, 1200);
}

static void reads_a_unit_again_after_one_good_probe(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 1000, .n_requests = 2}},
                          .took_ms = {500},
                          .silent = {true}};

    (void)state;
    stand_start(&stand, 1, 1);
    run_until(&stand, 30000);
    assert_int_equal(stand.asked[0], 5);
    assert_int_equal(stand.units[0].breaker.state, BREAKER_OPEN);
    stand.silent[0] = false;
    stand.took_ms[0] = 2;
    run_until(&stand, 80000);
    assert_int_equal(stand.units[0].breaker.state, BREAKER_CLOSED);
    uint64_t missed = stand.schedule.missed;
    unsigned rounds = stand.rounds[0];
    run_until(&stand, 90000);
    assert_int_equal(stand.rounds[0] - rounds, 10);
    assert_int_equal(stand.schedule.missed,
                     missed); /* what passed meanwhile was skipped, not missed */
}

static void leaves_a_silent_unit_alone_while_it_is_held(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 10, .n_requests = 1},
                                     {.unit = 1, .period_ms = 10, .n_requests = 1}}};
    struct schedule_pick pick;

    (void)state;
    stand_start(&stand, 2, 2);
    schedule_report(&stand.schedule, 0, false, 100, 500);
    assert_true(schedule_next(&stand.schedule, 100, &pick));
    assert_int_equal(pick.group, 1);
    assert_false(schedule_next(&stand.schedule, 101, &pick));
    run_until(&stand, 599);
    assert_int_equal(stand.asked[0], 0);
    assert_true(schedule_next(&stand.schedule, 600, &pick));
}

static void starts_over_when_the_link_comes_back(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 1000, .n_requests = 3}},
                          .took_ms = {10}};
    struct schedule_pick pick;

    (void)state;
    stand_start(&stand, 1, 1);
    assert_true(schedule_next(&stand.schedule, 0, &pick));
    assert_true(schedule_next(&stand.schedule, 0, &pick));
    assert_int_equal(pick.request, 1);
    schedule_resume(&stand.schedule, 10500); /* the link went in between */
    assert_int_equal(stand.schedule.skipped, 10);
    assert_true(schedule_next(&stand.schedule, 10500, &pick));
    assert_int_equal(pick.request, 0);
    assert_int_equal(stand.schedule.missed, 0);
    assert_int_equal(stand.groups[0].release_ms, 10000); /* on the old grid */
}

static void asks_again_when_the_link_took_the_probe(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 1000, .n_requests = 1}},
                          .took_ms = {10},
                          .silent = {true}};
    struct schedule_pick pick;

    (void)state;
    stand_start(&stand, 1, 1);
    run_until(&stand, 20000);
    assert_int_equal(stand.units[0].breaker.state, BREAKER_OPEN);
    assert_true(
        schedule_next(&stand.schedule, 70000, &pick)); /* the probe; its outcome never comes */
    assert_false(schedule_next(&stand.schedule, 300000, &pick));
    schedule_resume(&stand.schedule, 300000);
    assert_true(schedule_next(&stand.schedule, 300000, &pick));
    assert_int_equal(stand.units[0].breaker.state, BREAKER_HALF_OPEN);
}

static void spreads_the_first_rounds(void **state)
{
    struct stand stand = {.groups = {{.unit = 0, .period_ms = 100, .n_requests = 1},
                                     {.unit = 0, .period_ms = 100, .n_requests = 1},
                                     {.unit = 0, .period_ms = 3600000, .n_requests = 1},
                                     {.unit = 0, .period_ms = 100, .n_requests = 1}}};

    (void)state;
    stand_start(&stand, 1, 4);
    assert_int_equal(stand.groups[0].release_ms, 0);
    assert_int_equal(stand.groups[1].release_ms, 25);
    assert_int_equal(stand.groups[2].release_ms, 500); /* not after half an hour */
    assert_int_equal(stand.groups[3].release_ms, 75);
}

/* A round of two requests whose last one is cut in two: both parts are still of this round. */
static void asks_the_parts_of_a_cut_request_in_the_same_round(void **state)
{
    struct stand stand = {
        .groups = {{.period_ms = 1000, .n_requests = 2}, {.period_ms = 5000, .n_requests = 1}}};
    struct schedule *schedule = &stand.schedule;
    struct schedule_pick pick;

    (void)state;
    stand_start(&stand, 1, 1);
    assert_true(schedule_next(schedule, 10, &pick) && pick.request == 0);
    assert_true(schedule_next(schedule, 20, &pick) && pick.request == 1);
    schedule_again(schedule, 0, 3);
    assert_true(schedule_next(schedule, 30, &pick) && pick.request == 1);
    assert_true(schedule_next(schedule, 40, &pick) && pick.request == 2);
    assert_false(schedule_next(schedule, 50, &pick));
    assert_int_equal(schedule_wake_ms(schedule, 50), 1000);
    assert_true(schedule_next(schedule, 1000, &pick) && pick.request == 0);
    schedule_again(schedule, 0, 4); /* the first one as well */
    assert_true(schedule_next(schedule, 1010, &pick) && pick.request == 0);
    assert_int_equal(schedule->missed, 0);
}

static void never_wakes_where_there_is_nothing_to_do(void **state)
{
    struct stand stand = {0};
    struct schedule_pick pick;

    (void)state;
    stand_start(&stand, 1, 0);
    assert_false(schedule_next(&stand.schedule, 0, &pick));
    assert_true(schedule_wake_ms(&stand.schedule, 0) == INT64_MAX);
}

/* One group's periods are too short for the bus; then the link goes. */
static void counts_for_each_group(void **state)
{
    struct stand stand = {0};

    (void)state;
    stand.took_ms[0] = 30;
    stand.groups[0] = (struct schedule_group){.unit = 0, .period_ms = 20, .n_requests = 1};
    stand.groups[1] = (struct schedule_group){.unit = 1, .period_ms = 10000, .n_requests = 1};
    stand_start(&stand, 2, 2);
    run_until(&stand, 60000);
    assert_true(stand.groups[0].missed > 100 * (stand.groups[1].missed + 1));
    assert_int_equal(stand.schedule.missed, stand.groups[0].missed + stand.groups[1].missed);
    assert_int_equal(stand.schedule.skipped, 0);
    schedule_resume(&stand.schedule, stand.now_ms + 45000);
    assert_in_range(stand.groups[0].skipped, 2249, 2251);
    assert_in_range(stand.groups[1].skipped, 3, 5);
    assert_int_equal(stand.schedule.skipped, stand.groups[0].skipped + stand.groups[1].skipped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_absolute_periods),
        cmocka_unit_test(takes_the_earliest_deadline_first),
        cmocka_unit_test(lets_an_urgent_group_between_the_requests_of_a_long_one),
        cmocka_unit_test(counts_what_a_busy_bus_misses_and_does_not_catch_up),
        cmocka_unit_test(probes_a_dead_unit_once_each_minute_and_keeps_the_others_on_time),
        cmocka_unit_test(does_not_forget_a_suspect_on_a_full_bus),
        cmocka_unit_test(reads_a_unit_again_after_one_good_probe),
        cmocka_unit_test(leaves_a_silent_unit_alone_while_it_is_held),
        cmocka_unit_test(starts_over_when_the_link_comes_back),
        cmocka_unit_test(asks_again_when_the_link_took_the_probe),
        cmocka_unit_test(spreads_the_first_rounds),
        cmocka_unit_test(asks_the_parts_of_a_cut_request_in_the_same_round),
        cmocka_unit_test(counts_for_each_group),
        cmocka_unit_test(never_wakes_where_there_is_nothing_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
