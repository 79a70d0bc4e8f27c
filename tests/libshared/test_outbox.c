#include "mqtt_outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct mqtt_item *numbered(int number)
{
    struct mqtt_item *item = mqtt_item_new(MQTT_ITEM_PUBLISH, NULL);
    assert_non_null(item);
    item->number = number;
    item->token = 100 + number;
    return item;
}

static void expect(struct mqtt_item *item, int number)
{
    assert_non_null(item);
    assert_int_equal(item->number, number);
    mqtt_item_free(&item->item);
}

static void fill(struct mqtt_outbox *outbox, int n)
{
    mqtt_outbox_init(outbox);
    for (int i = 0; i < n; i++)
        mqtt_outbox_append(outbox, numbered(i));
}

static void send(struct mqtt_outbox *outbox, int n)
{
    for (int i = 0; i < n; i++)
        mqtt_outbox_sent(outbox, mqtt_outbox_next(outbox));
}

static void the_oldest_goes_first_unless_something_was_put_ahead(void **state)
{
    (void)state;
    struct mqtt_outbox outbox;
    fill(&outbox, 2);
    mqtt_outbox_prepend(&outbox, numbered(9));
    expect(mqtt_outbox_next(&outbox), 9);
    expect(mqtt_outbox_next(&outbox), 0);
    expect(mqtt_outbox_oldest(&outbox), 1);
    assert_null(mqtt_outbox_next(&outbox));
    assert_true(mqtt_outbox_empty(&outbox));
    mqtt_outbox_append(&outbox, numbered(3)); /* the end was found again after being empty */
    expect(mqtt_outbox_next(&outbox), 3);
    mqtt_outbox_free(&outbox);
}

static void the_window_bounds_what_is_unacknowledged(void **state)
{
    (void)state;
    struct mqtt_outbox outbox;
    fill(&outbox, 5);
    outbox.window_max = 2;
    send(&outbox, 2);
    assert_null(mqtt_outbox_next(&outbox));
    expect(mqtt_outbox_acked(&outbox, 101), 1); /* out of order is fine */
    assert_null(mqtt_outbox_acked(&outbox, 101));
    expect(mqtt_outbox_next(&outbox), 2);
    mqtt_outbox_free(&outbox);
}

static void a_lost_connection_puts_the_window_back_in_order(void **state)
{
    (void)state;
    struct mqtt_outbox outbox;
    fill(&outbox, 5);
    send(&outbox, 3);
    expect(mqtt_outbox_acked(&outbox, 101), 1);
    mqtt_outbox_unwind(&outbox);
    static const int order[] = {0, 2, 3, 4};
    for (size_t i = 0; i < 4; i++)
        expect(mqtt_outbox_next(&outbox), order[i]);
    assert_true(mqtt_outbox_empty(&outbox));
    mqtt_outbox_free(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_goes_first_unless_something_was_put_ahead),
        cmocka_unit_test(the_window_bounds_what_is_unacknowledged),
        cmocka_unit_test(a_lost_connection_puts_the_window_back_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
