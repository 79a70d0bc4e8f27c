#include "clock.h"
#include "loop.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct stand {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_timer *other;
    int pipe_a[2];
    int pipe_b[2];
    char trace[64]; /* a letter for each handler that ran */
    int rounds;
};

static void note(struct stand *stand, char letter)
{
    size_t length = strlen(stand->trace);
    if (length < sizeof stand->trace - 1)
        stand->trace[length] = letter;
}

static int open_stand(void **state)
{
    static struct stand stand;
    stand = (struct stand){0};
    *state = &stand;
    return loop_open(&stand.loop) != 0 || pipe(stand.pipe_a) != 0 || pipe(stand.pipe_b) != 0;
}

static int close_stand(void **state)
{
    struct stand *stand = *state;
    loop_timer_close(stand->timer);
    loop_timer_close(stand->other);
    loop_close(stand->loop);
    for (int i = 0; i < 2; i++) {
        close(stand->pipe_a[i]);
        close(stand->pipe_b[i]);
    }
    return 0;
}

static void on_stop(void *self)
{
    struct stand *stand = self;
    note(stand, 's');
    loop_stop(stand->loop);
}

static void on_first(void *self)
{
    note(self, 'f');
}

static void timers_run_in_order_of_time(void **state)
{
    struct stand *stand = *state;
    int64_t start = loop_now(stand->loop);
    assert_int_equal(loop_timer_open(&stand->timer, stand->loop, on_stop, stand), 0);
    assert_int_equal(loop_timer_open(&stand->other, stand->loop, on_first, stand), 0);
    loop_timer_set(stand->timer, start + 30);
    loop_timer_set(stand->other, start + 10);
    assert_int_equal(loop_run(stand->loop), 0);
    assert_string_equal(stand->trace, "fs");
    assert_in_range(clock_now_ms() - start, 30, 5000);
}

static void a_cancelled_timer_does_not_run(void **state)
{
    struct stand *stand = *state;
    loop_timer_open(&stand->timer, stand->loop, on_stop, stand);
    loop_timer_open(&stand->other, stand->loop, on_first, stand);
    loop_timer_set(stand->other, loop_now(stand->loop));
    loop_timer_cancel(stand->other);
    loop_timer_set(stand->timer, loop_now(stand->loop) + 5);
    loop_run(stand->loop);
    assert_string_equal(stand->trace, "s");
}

static void on_again(void *self)
{
    struct stand *stand = self;
    note(stand, 'a');
    loop_timer_set(stand->other, loop_now(stand->loop)); /* "at once", for ever */
}

static void on_byte(void *self, short revents)
{
    struct stand *stand = self;
    assert_true(revents & POLLIN);
    note(stand, 'b');
    loop_stop(stand->loop);
}

static void a_timer_set_to_now_does_not_starve_descriptors(void **state)
{
    struct stand *stand = *state;
    loop_timer_open(&stand->other, stand->loop, on_again, stand);
    loop_timer_set(stand->other, loop_now(stand->loop));
    assert_int_equal(loop_watch(stand->loop, stand->pipe_a[0], POLLIN, on_byte, stand), 0);
    assert_int_equal(write(stand->pipe_a[1], "x", 1), 1);
    loop_run(stand->loop);
    assert_string_equal(stand->trace, "ab");
    loop_unwatch(stand->loop, stand->pipe_a[0]);
}

/* The first handler of the round takes the second one's descriptor away. */
static void on_a(void *self, short revents)
{
    (void)revents;
    struct stand *stand = self;
    char byte;
    assert_int_equal(read(stand->pipe_a[0], &byte, 1), 1);
    note(stand, 'A');
    loop_unwatch(stand->loop, stand->pipe_b[0]);
    if (++stand->rounds == 2)
        loop_stop(stand->loop);
}

static void on_b(void *self, short revents)
{
    (void)revents;
    note(self, 'B');
}

static void an_unwatched_descriptor_is_not_called_in_the_same_round(void **state)
{
    struct stand *stand = *state;
    loop_watch(stand->loop, stand->pipe_a[0], POLLIN, on_a, stand);
    loop_watch(stand->loop, stand->pipe_b[0], POLLIN, on_b, stand);
    assert_int_equal(write(stand->pipe_a[1], "xx", 2), 2);
    assert_int_equal(write(stand->pipe_b[1], "x", 1), 1);
    loop_run(stand->loop);
    assert_string_equal(stand->trace, "AA");
    loop_unwatch(stand->loop, stand->pipe_a[0]);
}

static void many_descriptors(void **state)
{
    struct stand *stand = *state;
    int pipes[100][2];
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        assert_int_equal(loop_watch(stand->loop, pipes[i][0], POLLIN, on_byte, stand), 0);
    }
    assert_int_equal(write(pipes[73][1], "x", 1), 1);
    loop_run(stand->loop);
    assert_string_equal(stand->trace, "b");
    for (int i = 0; i < 100; i++) {
        loop_unwatch(stand->loop, pipes[i][0]);
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_stand, close_stand)
    const struct CMUnitTest tests[] = {
        TEST(timers_run_in_order_of_time),
        TEST(a_cancelled_timer_does_not_run),
        TEST(a_timer_set_to_now_does_not_starve_descriptors),
        TEST(an_unwatched_descriptor_is_not_called_in_the_same_round),
        TEST(many_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
