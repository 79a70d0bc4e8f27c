/* What a bus's thread owes the loop, without a bus: nothing listens at its address. */
#include "driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void free_item(struct inbox_item *item)
{
    free(item);
}

/* The end of a write needs no memory of the thread's: what was made beforehand comes back. */
static void a_write_ends_in_the_answer_made_for_it(void **state)
{
    struct config *config;
    struct settings *settings;
    struct health *health;
    struct inbox *answers;
    struct driver *driver;
    struct answer *written = answer_new_write(ANSWER_WRITE, 0, 0);
    struct answer *fed = answer_new_write(ANSWER_FEED, 0, 0);
    struct inbox_item *items;
    const struct write_order order = {.expires_ms = INT64_MAX};
    const struct holes known = {0};
    struct pace pace;

    (void)state;
    assert_int_equal(
        config_open_text(&config, "test",
                         "{\"buses\":[{\"url\":\"tcp://127.0.0.1:1\",\"devices\":[{"
                         "\"location\":\"l\",\"device\":\"d\",\"actuators\":[{\"name\":"
                         "\"pump\",\"table\":\"coil\",\"address\":0}]}]}]}"),
        0);
    assert_int_equal(settings_read(&settings, config_root(config)), 0);
    assert_int_equal(health_open(&health), 0);
    assert_int_equal(inbox_open(&answers, 1, free_item), 0);
    assert_int_equal(driver_open(&driver, &(struct driver_options){.settings = settings->buses[0],
                                                                   .known = &known,
                                                                   .health = health,
                                                                   .paces = &pace,
                                                                   .answers = answers}),
                     0);
    driver_write(driver, &order, written);
    driver_feed(driver, 1, fed);
    items = inbox_take(answers);
    assert_ptr_equal(items, written);
    assert_ptr_equal(items->next, fed);
    assert_int_equal(written->result, WRITE_REFUSED);
    assert_int_equal(fed->result, WRITE_REFUSED);
    free(written);
    free(fed);
    driver_close(driver);
    inbox_close(answers);
    health_close(health);
    settings_free(settings);
    config_close(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_write_ends_in_the_answer_made_for_it)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
