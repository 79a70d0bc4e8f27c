#include "inbox.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct letter {
    struct inbox_item item;
    int sender;
    int number;
};

static void free_letter(struct inbox_item *item)
{
    free(item);
}

static struct letter *letter_new(int sender, int number, size_t size)
{
    struct letter *letter = calloc(1, sizeof *letter);
    assert_non_null(letter);
    *letter = (struct letter){.item.size = size, .sender = sender, .number = number};
    return letter;
}

static bool is_readable(const struct inbox *inbox)
{
    struct pollfd ready = {.fd = inbox_fd(inbox), .events = POLLIN};
    return poll(&ready, 1, 0) == 1;
}

static void keeps_order_and_wakes(void **state)
{
    (void)state;
    struct inbox *inbox;
    assert_int_equal(inbox_open(&inbox, 1000, free_letter), 0);
    assert_false(is_readable(inbox));
    assert_null(inbox_take(inbox));
    for (int i = 0; i < 3; i++)
        assert_int_equal(inbox_try_put(inbox, &letter_new(0, i, 10)->item), 0);
    assert_true(is_readable(inbox));
    assert_int_equal(inbox_size(inbox), 30);
    int expected = 0;
    for (struct inbox_item *item = inbox_take(inbox), *next; item; item = next) {
        next = item->next;
        assert_int_equal(((struct letter *)item)->number, expected++);
        free(item);
    }
    assert_int_equal(expected, 3);
    assert_false(is_readable(inbox));
    assert_int_equal(inbox_size(inbox), 0);
    inbox_close(inbox);
}

static void refuses_what_has_no_room(void **state)
{
    (void)state;
    struct inbox *inbox;
    assert_int_equal(inbox_open(&inbox, 100, free_letter), 0);
    struct letter *large = letter_new(0, 0, 500);
    assert_int_equal(inbox_try_put(inbox, &large->item), 0); /* alone, it is taken */
    struct letter *small = letter_new(0, 1, 1);
    assert_int_equal(inbox_try_put(inbox, &small->item), -ENOSPC);
    assert_int_equal(inbox_force(inbox, &small->item), 0);
    struct letter *late = letter_new(0, 2, 1);
    inbox_shut(inbox);
    assert_int_equal(inbox_try_put(inbox, &late->item), -EPIPE);
    assert_int_equal(inbox_force(inbox, &late->item), -EPIPE);
    assert_int_equal(inbox_put(inbox, &late->item), -EPIPE);
    free(late);
    inbox_close(inbox); /* frees the two that are left */
}

#define SENDERS 4
#define LETTERS 20000

struct sending {
    struct inbox *inbox;
    int sender;
    int refused;
};

static void *send_letters(void *self)
{
    struct sending *sending = self;
    for (int i = 0; i < LETTERS; i++) {
        struct letter *letter = letter_new(sending->sender, i, 16);
        if (inbox_put(sending->inbox, &letter->item) != 0) {
            sending->refused++;
            free(letter);
        }
    }
    return NULL;
}

static void await_by_poll(struct inbox *inbox)
{
    struct pollfd ready = {.fd = inbox_fd(inbox), .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 10000), 1); /* else a wake-up was missed */
}

static void await_without_descriptor(struct inbox *inbox)
{
    assert_int_equal(inbox_fd(inbox), -1);
    inbox_await(inbox, clock_now_ms() + 10000);
    assert_true(inbox_size(inbox) > 0);
}

/* Four senders into little room: all arrives, each sender's in its order, no wake-up is missed. */
static void lose_nothing(struct inbox *inbox, void (*await)(struct inbox *inbox))
{
    struct sending sendings[SENDERS];
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        sendings[i] = (struct sending){.inbox = inbox, .sender = i};
        pthread_create(&threads[i], NULL, send_letters, &sendings[i]);
    }
    int next_number[SENDERS] = {0};
    int received = 0;
    while (received < SENDERS * LETTERS) {
        await(inbox);
        for (struct inbox_item *item = inbox_take(inbox), *next; item; item = next) {
            next = item->next;
            struct letter *letter = (struct letter *)item;
            assert_int_equal(letter->number, next_number[letter->sender]++);
            received++;
            free(letter);
        }
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(sendings[i].refused, 0);
    }
    inbox_close(inbox);
}

static void loses_nothing_between_threads(void **state)
{
    (void)state;
    struct inbox *inbox;
    assert_int_equal(inbox_open(&inbox, 16 * 50, free_letter), 0);
    lose_nothing(inbox, await_by_poll);
    assert_int_equal(inbox_open_awaited(&inbox, 16 * 50, free_letter), 0);
    lose_nothing(inbox, await_without_descriptor);
}

static void awaits_no_longer_than_told(void **state)
{
    (void)state;
    struct inbox *inbox;
    assert_int_equal(inbox_open_awaited(&inbox, 16, free_letter), 0);
    int64_t until_ms = clock_now_ms() + 20;
    inbox_await(inbox, until_ms);
    assert_true(clock_now_ms() >= until_ms);
    assert_null(inbox_take(inbox));
    inbox_close(inbox);
}

static void shutting_releases_who_waits(void **state)
{
    (void)state;
    struct inbox *inbox;
    assert_int_equal(inbox_open(&inbox, 16, free_letter), 0);
    struct sending sending = {.inbox = inbox};
    pthread_t thread;
    pthread_create(&thread, NULL, send_letters, &sending);
    while (inbox_size(inbox) == 0)
        ;
    inbox_shut(inbox);
    pthread_join(thread, NULL);
    assert_int_equal(sending.refused, LETTERS - 1);
    inbox_close(inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_and_wakes),
        cmocka_unit_test(refuses_what_has_no_room),
        cmocka_unit_test(loses_nothing_between_threads),
        cmocka_unit_test(awaits_no_longer_than_told),
        cmocka_unit_test(shutting_releases_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
