#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct life *life;
static const struct topic topic = {
    .kind = TOPIC_ALERT, .location = "hall", .device = "line", .name = "hot"};

static int set_up(void **state)
{
    (void)state;
    return life_open(&life, 4);
}

static int tear_down(void **state)
{
    (void)state;
    life_close(life);
    return 0;
}

static struct alert alert_of(enum alert_state state, uint64_t episode, int64_t since_ms)
{
    return (struct alert){.state = state,
                          .severity = ALERT_WARNING,
                          .since_ms = since_ms,
                          .message = "",
                          .rule = "hot",
                          .episode = episode};
}

static int hear(enum alert_state state, uint64_t episode, int64_t since_ms)
{
    struct alert alert = alert_of(state, episode, since_ms);

    return life_offer(life, &topic, &alert, false);
}

static int fill(enum alert_state state, uint64_t episode, int64_t since_ms)
{
    struct alert alert = alert_of(state, episode, since_ms);

    return life_offer(life, &topic, &alert, true);
}

static void test_each_change_is_news_once(void **state)
{
    (void)state;
    assert_int_equal(hear(ALERT_FIRING, 1, 100), 1);
    assert_int_equal(hear(ALERT_FIRING, 1, 100), 0);
    assert_int_equal(hear(ALERT_RESOLVED, 1, 200), 1);
    assert_int_equal(hear(ALERT_RESOLVED, 1, 200), 0);
    assert_int_equal(hear(ALERT_FIRING, 2, 300), 1);
    assert_int_equal(life_active(life), 1);
}

static void test_stale_is_not_resolved(void **state)
{
    (void)state;
    hear(ALERT_FIRING, 1, 100);
    assert_int_equal(hear(ALERT_STALE, 1, 200), 1);
    assert_int_equal(life_active(life), 1);
    /* Data is back and it still fires: everybody knows. */
    assert_int_equal(hear(ALERT_FIRING, 1, 300), 0);
    assert_int_equal(hear(ALERT_STALE, 1, 400), 0);
    assert_int_equal(hear(ALERT_RESOLVED, 1, 500), 1);
    assert_int_equal(life_active(life), 0);
}

static void test_filling_tells_nothing(void **state)
{
    (void)state;
    assert_int_equal(fill(ALERT_FIRING, 3, 100), 0);
    assert_int_equal(hear(ALERT_FIRING, 3, 100), 0);
    assert_int_equal(hear(ALERT_RESOLVED, 3, 200), 1);
}

static void test_what_happened_while_away(void **state)
{
    (void)state;
    /* Resolved, without having been heard to fire: nobody was worried. */
    assert_int_equal(hear(ALERT_RESOLVED, 1, 100), 0);
    /* Fired anew: the resolution of the first episode was missed. */
    hear(ALERT_FIRING, 2, 200);
    assert_int_equal(hear(ALERT_FIRING, 3, 300), 1);
    /* Fired and resolved again. */
    assert_int_equal(hear(ALERT_RESOLVED, 4, 400), 1);
}

static void test_late_and_repeated_deliveries(void **state)
{
    (void)state;
    hear(ALERT_FIRING, 6, 100);
    hear(ALERT_RESOLVED, 6, 200);
    hear(ALERT_FIRING, 7, 300);
    assert_int_equal(hear(ALERT_FIRING, 6, 100), 0);
    assert_int_equal(hear(ALERT_RESOLVED, 6, 200), 0);
    assert_int_equal(life_active(life), 1);
    hear(ALERT_RESOLVED, 7, 400);
    /* The broker sends the last ones again. */
    assert_int_equal(hear(ALERT_FIRING, 7, 300), 0);
    assert_int_equal(hear(ALERT_RESOLVED, 7, 400), 0);
    assert_int_equal(life_active(life), 0);
}

static void test_retained_before_queued(void **state)
{
    (void)state;
    hear(ALERT_FIRING, 1, 100);
    hear(ALERT_RESOLVED, 1, 200);
    assert_int_equal(hear(ALERT_RESOLVED, 2, 400), 0); /* retained: the end of what was missed */
    assert_int_equal(hear(ALERT_FIRING, 2, 300), 1);   /* kept by the session */
    assert_int_equal(hear(ALERT_RESOLVED, 2, 400), 1);
}

static void test_episodes_that_count_from_the_start_again(void **state)
{
    (void)state;
    hear(ALERT_FIRING, 1, 100);
    hear(ALERT_RESOLVED, 1, 200);
    assert_int_equal(hear(ALERT_FIRING, 1, 300), 1);
    hear(ALERT_RESOLVED, 1, 400);
    hear(ALERT_FIRING, 9, 500);
    assert_int_equal(hear(ALERT_FIRING, 1, 600), 1);
}

static void test_deleted(void **state)
{
    (void)state;
    hear(ALERT_FIRING, 1, 100);
    life_forget(life, &topic);
    life_forget(life, &topic);
    assert_int_equal(life_size(life), 0);
    assert_int_equal(hear(ALERT_FIRING, 1, 100), 1);
}

static void test_no_room(void **state)
{
    struct topic other = topic;

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct alert alert = alert_of(i == 2 ? ALERT_RESOLVED : ALERT_FIRING, 1, 100 + i);

        snprintf(other.device, sizeof other.device, "d%d", i);
        life_offer(life, &other, &alert, false);
    }
    assert_int_equal(life_size(life), 4);
    assert_int_equal(life_forgotten(life), 2);
    /* First the resolved one went, then the oldest. */
    assert_string_equal(life_at(life, 0)->device, "d1");
    assert_string_equal(life_at(life, 1)->device, "d3");
    assert_string_equal(life_at(life, 3)->device, "d5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_change_is_news_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale_is_not_resolved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_filling_tells_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_happened_while_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_and_repeated_deliveries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retained_before_queued, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_episodes_that_count_from_the_start_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_deleted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
