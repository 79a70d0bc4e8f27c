/* The conversation with a board, in virtual time. What goes out and what is told is written down as
 * one text, so that each test reads like the talk itself. */
#include "board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BOOT_MS 2500
#define REPLY_MS 1000
#define OPEN_MS 60000

static const struct board_poll polls[] = {{"READ", 1000}, {"SLOW", 5000}};

static const struct board_settings settings = {
    .boot_ms = BOOT_MS,
    .reply_ms = REPLY_MS,
    .threshold = 3,
    .open_ms = OPEN_MS,
    .polls = polls,
    .n_polls = 1,
};

struct talk {
    struct board board;
    struct board_settings settings;
    int64_t now_ms;
    char said[1024];
    const char *write; /* the next one; NULL: none */
    int verify;
    bool mute;
    int abandoned;
};

static void note(struct talk *talk, const char *mark, const char *text)
{
    size_t length = strlen(talk->said);

    snprintf(talk->said + length, sizeof talk->said - length, "%s%s ", mark, text);
}

static void send(void *self, const char *line)
{
    note(self, ">", line);
}

static bool next_write(void *self, struct board_write *out)
{
    struct talk *talk = self;

    if (!talk->write)
        return false;
    *out = (struct board_write){.line = talk->write, .verify = talk->verify, .mute = talk->mute};
    talk->write = NULL;
    return true;
}

static bool on_poll_line(void *self, size_t poll, const char *line)
{
    bool mine = strncmp(line, "TEMP", 4) == 0;

    (void)poll;
    if (line[0] == 'S')
        return false;
    note(self, mine ? "read=" : "?", line);
    return mine;
}

static void on_poll_failed(void *self, size_t poll)
{
    const struct talk *talk = self;
    const char *request = talk->settings.polls[poll].request;

    note(self, "failed=", request ? request : "stream");
}

static enum board_answer on_write_line(void *self, const char *line)
{
    (void)self;
    if (strcmp(line, "OK") == 0)
        return BOARD_CONFIRMED;
    return strncmp(line, "ERR", 3) == 0 ? BOARD_REFUSED : BOARD_NOT_MINE;
}

static void on_write_end(void *self, enum board_end end)
{
    static const char *const names[] = {"written",    "unread", "error",
                                        "unanswered", "unsure", "lost"};

    note(self, "end=", names[end]);
}

/* A line "S…" is the last poll's, where that one is a stream. */
static int on_stream_line(void *self, const char *line)
{
    struct talk *talk = self;
    size_t last = talk->settings.n_polls - 1;

    if (talk->settings.polls[last].request || line[0] != 'S')
        return -1;
    note(talk, "stream=", line);
    return (int)last;
}

static void abandon(void *self)
{
    struct talk *talk = self;

    talk->abandoned++;
}

static void reset(void *self)
{
    note(self, "", "RESET");
}

static const struct board_handlers handlers = {.send = send,
                                               .next_write = next_write,
                                               .on_poll_line = on_poll_line,
                                               .on_poll_failed = on_poll_failed,
                                               .on_stream_line = on_stream_line,
                                               .abandon = abandon,
                                               .reset = reset,
                                               .on_write_line = on_write_line,
                                               .on_write_end = on_write_end};

static int setup(void **state)
{
    struct talk *talk = calloc(1, sizeof *talk);

    talk->settings = settings;
    talk->verify = -1;
    board_init(&talk->board, &talk->settings, &handlers, talk);
    *state = talk;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* Lets time pass as the agent does: from one due moment to the next. */
static void pass(struct talk *talk, int64_t ms)
{
    int64_t end = talk->now_ms + ms;

    for (int turns = 0; turns < 10000; turns++) {
        int64_t due;

        board_run(&talk->board, talk->now_ms);
        due = board_due_ms(&talk->board, talk->now_ms);
        if (due > end) {
            talk->now_ms = end;
            return;
        }
        talk->now_ms = due > talk->now_ms ? due : talk->now_ms;
    }
    fail_msg("the board spins at %lld: %s", (long long)talk->now_ms, talk->said);
}

static void hear(struct talk *talk, const char *line)
{
    board_line(&talk->board, line, talk->now_ms);
    board_run(&talk->board, talk->now_ms);
}

static void assert_said(struct talk *talk, const char *expected)
{
    assert_string_equal(talk->said, expected);
    talk->said[0] = '\0';
}

/* Opened, booted, and the first poll answered. */
static void begin(struct talk *talk)
{
    board_opened(&talk->board, talk->now_ms);
    hear(talk, "READY");
    hear(talk, "TEMP:1");
    assert_said(talk, ">READ read=TEMP:1 ");
}

static void nothing_is_asked_while_the_board_boots(void **state)
{
    struct talk *talk = *state;

    board_opened(&talk->board, 0);
    pass(talk, BOOT_MS - 1);
    assert_said(talk, "");
    pass(talk, 1);
    assert_said(talk, ">READ ");
}

static void the_first_line_ends_the_boot(void **state)
{
    struct talk *talk = *state;

    board_opened(&talk->board, 0);
    pass(talk, 700);
    hear(talk, "READY");
    assert_said(talk, ">READ ");
    assert_int_equal(talk->board.counters.boot_lines, 1);
    assert_false(talk->board.heard);
    hear(talk, "TEMP:1");
    assert_true(talk->board.heard);
}

static void polls_keep_their_rhythm(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    pass(talk, 999);
    assert_said(talk, "");
    pass(talk, 1);
    assert_said(talk, ">READ ");
    pass(talk, 400); /* a slow answer does not shift the next poll */
    hear(talk, "TEMP:2");
    pass(talk, 599);
    assert_said(talk, "read=TEMP:2 ");
    pass(talk, 1);
    assert_said(talk, ">READ ");
}

static void two_polls_share_the_wire(void **state)
{
    struct talk *talk = *state;

    talk->settings.n_polls = 2;
    board_opened(&talk->board, 0);
    hear(talk, "READY");
    hear(talk, "TEMP:1");
    assert_said(talk, ">READ read=TEMP:1 >SLOW ");
    hear(talk, "TEMP:2");
    for (int i = 0; i < 4; i++) {
        pass(talk, 1000);
        hear(talk, "TEMP:3");
    }
    talk->said[0] = '\0';
    pass(talk, 1000);
    hear(talk, "TEMP:4");
    hear(talk, "TEMP:5");
    assert_said(talk, ">READ read=TEMP:4 >SLOW read=TEMP:5 ");
}

static void what_was_missed_is_not_made_up_for(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->now_ms += 10500; /* the whole agent slept */
    board_run(&talk->board, talk->now_ms);
    hear(talk, "TEMP:2");
    pass(talk, 499);
    assert_said(talk, ">READ read=TEMP:2 ");
    pass(talk, 1);
    assert_said(talk, ">READ ");
}

static void a_late_line_is_not_the_next_answer(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    pass(talk, 1000 + REPLY_MS);
    assert_said(talk, ">READ failed=READ ");
    assert_int_equal(talk->board.failures, 1);
    pass(talk, 300);
    hear(talk, "TEMP:late");
    assert_int_equal(talk->board.counters.late, 1);
    hear(talk, "TEMP:2");
    assert_said(talk, ">READ read=TEMP:2 ");
    assert_int_equal(talk->board.failures, 0);
}

static void without_a_late_line_the_next_request_waits(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    pass(talk, 1000 + REPLY_MS);
    assert_said(talk, ">READ failed=READ ");
    pass(talk, REPLY_MS - 1);
    assert_said(talk, "");
    pass(talk, 1);
    assert_said(talk, ">READ ");
}

static void foreign_lines_are_counted_and_the_wait_goes_on(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    hear(talk, "hello");
    pass(talk, 1000);
    hear(talk, "OK");
    hear(talk, "TEMP:2");
    assert_said(talk, ">READ ?OK read=TEMP:2 ");
    assert_int_equal(talk->board.counters.unexpected, 2);
}

static void a_write_goes_ahead_of_a_poll(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->now_ms += 1000; /* the poll is due too */
    talk->write = "LED,13,ON";
    board_run(&talk->board, talk->now_ms);
    assert_said(talk, ">LED,13,ON ");
    hear(talk, "TEMP:9"); /* no answer to a write */
    hear(talk, "OK");
    assert_said(talk, "end=written >READ ");
}

static void a_write_waits_for_the_poll_in_flight(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    pass(talk, 1000);
    talk->write = "LED,13,ON";
    board_run(&talk->board, talk->now_ms);
    assert_said(talk, ">READ ");
    hear(talk, "TEMP:2");
    assert_said(talk, "read=TEMP:2 >LED,13,ON ");
}

static void a_write_is_read_back_at_once(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "LED,13,ON";
    talk->verify = 0;
    pass(talk, 100);
    hear(talk, "OK");
    assert_said(talk, ">LED,13,ON >READ ");
    hear(talk, "TEMP:2");
    assert_said(talk, "read=TEMP:2 end=written ");
    pass(talk, 899); /* and the rhythm of the polls is as before */
    assert_said(talk, "");
    pass(talk, 1);
    assert_said(talk, ">READ ");
}

static void a_refused_write_ends_at_once(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "LED,99,ON";
    talk->verify = 0;
    pass(talk, 100);
    hear(talk, "ERR,pin");
    assert_said(talk, ">LED,99,ON end=error ");
}

static void an_unanswered_write_is_looked_after(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "LED,13,ON";
    talk->verify = 0;
    board_run(&talk->board, talk->now_ms);
    pass(talk, REPLY_MS);
    assert_said(talk, ">LED,13,ON ");
    pass(talk, 100);
    hear(talk, "OK"); /* late: it says nothing any more, the reading does */
    assert_int_equal(talk->board.counters.late, 1);
    hear(talk, "TEMP:2");
    assert_said(talk, ">READ read=TEMP:2 end=unsure ");
}

static void an_unanswered_write_without_a_reading_fails(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "LED,13,ON";
    board_run(&talk->board, talk->now_ms);
    pass(talk, REPLY_MS);
    assert_said(talk, ">LED,13,ON end=unanswered ");
}

static void a_confirmed_write_that_cannot_be_read_back_says_so(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "LED,13,ON";
    talk->verify = 0;
    board_run(&talk->board, talk->now_ms);
    hear(talk, "OK");
    pass(talk, REPLY_MS);
    assert_said(talk, ">LED,13,ON >READ failed=READ end=unread ");
}

static void a_write_on_a_dying_board_ends_once(void **state)
{
    struct talk *talk = *state;

    talk->settings.threshold = 1;
    begin(talk);
    talk->write = "LED,13,ON";
    talk->verify = 0;
    board_run(&talk->board, talk->now_ms);
    pass(talk, OPEN_MS / 2);
    assert_said(talk, ">LED,13,ON end=unanswered ");
}

static void an_unplugged_port_ends_everything(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "LED,13,ON";
    board_run(&talk->board, talk->now_ms);
    board_closed(&talk->board);
    assert_said(talk, ">LED,13,ON end=lost ");
    pass(talk, 3600 * 1000);
    hear(talk, "OK");
    assert_said(talk, "");
    board_opened(&talk->board, talk->now_ms);
    hear(talk, "READY");
    assert_said(talk, ">READ ");
}

static void the_breaker_spares_a_board_that_hangs(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    pass(talk, 60 * 1000); /* three time-outs open it */
    assert_said(talk, ">READ failed=READ >READ failed=READ >READ failed=READ ");
    assert_int_equal(talk->board.breaker.state, BREAKER_OPEN);
    talk->write = "LED,13,ON"; /* writes are not tried on it either */
    pass(talk, 5000);
    assert_said(talk, "");
    pass(talk, OPEN_MS);
    assert_said(talk, ">READ failed=READ "); /* one probe */
    pass(talk, OPEN_MS - 1 - REPLY_MS);
    hear(talk, "TEMP:2");
    assert_int_equal(talk->board.breaker.state, BREAKER_OPEN); /* only a probe's answer closes it */
    talk->said[0] = '\0';
    while (talk->board.state != BOARD_POLLING)
        pass(talk, 100);
    hear(talk, "TEMP:3");
    assert_int_equal(talk->board.breaker.state, BREAKER_CLOSED);
    assert_said(talk, ">READ read=TEMP:3 >LED,13,ON ");
}

static void a_port_that_comes_back_closes_the_breaker(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    pass(talk, 60 * 1000);
    assert_int_equal(talk->board.breaker.state, BREAKER_OPEN);
    board_closed(&talk->board);
    board_opened(&talk->board, talk->now_ms);
    talk->said[0] = '\0';
    hear(talk, "READY");
    assert_said(talk, ">READ ");
}

/* ---- streams ---- */

static const struct board_poll stream_alone[] = {{NULL, 500}};
static const struct board_poll poll_and_stream[] = {{"READ", 1000}, {NULL, 500}};

static void open_with(struct talk *talk, const struct board_poll *with, size_t n)
{
    talk->settings.polls = with;
    talk->settings.n_polls = n;
    board_init(&talk->board, &talk->settings, &handlers, talk);
    board_opened(&talk->board, talk->now_ms);
}

static void a_stream_is_heard_while_the_board_boots(void **state)
{
    struct talk *talk = *state;

    open_with(talk, stream_alone, 1);
    hear(talk, "S1");
    assert_said(talk, "stream=S1 ");
    assert_true(talk->board.heard);
    hear(talk, "what");
    assert_int_equal(talk->board.counters.unexpected, 1);
    pass(talk, 499);
    hear(talk, "S2");
    pass(talk, 499);
    assert_said(talk, "stream=S2 ");
    assert_int_equal(talk->board.counters.streamed, 2);
}

static void a_silent_stream_fails_each_period_and_is_well_with_one_line(void **state)
{
    struct talk *talk = *state;

    open_with(talk, stream_alone, 1);
    pass(talk, BOOT_MS + 499);
    assert_said(talk, ""); /* a board that boots is not silent yet */
    pass(talk, 1 + 3 * 500);
    assert_said(talk, "failed=stream failed=stream failed=stream failed=stream ");
    assert_int_equal(talk->board.counters.silences, 4);
    assert_int_equal(talk->abandoned, 4);
    assert_int_equal(talk->board.breaker.state, BREAKER_OPEN);
    hear(talk, "S1");
    assert_int_equal(talk->board.failures, 0);
    assert_int_equal(talk->board.breaker.state, BREAKER_CLOSED);
}

static void streams_and_replies_share_the_wire(void **state)
{
    struct talk *talk = *state;

    open_with(talk, poll_and_stream, 2);
    hear(talk, "S1");
    assert_said(talk, "stream=S1 >READ ");
    hear(talk, "S2"); /* while the reply is awaited */
    hear(talk, "TEMP:1");
    assert_said(talk, "stream=S2 read=TEMP:1 ");
    pass(talk, 400);
    hear(talk, "S3");
    pass(talk, 600 + REPLY_MS);
    assert_said(talk, "stream=S3 failed=stream >READ failed=stream failed=stream failed=READ ");
    hear(talk, "S4"); /* settling: not the late reply */
    assert_int_equal(talk->board.state, BOARD_SETTLING);
    assert_int_equal(talk->board.failures, 1); /* its polls tell how a board is */
}

static void a_stream_reads_a_write_back(void **state)
{
    struct talk *talk = *state;

    open_with(talk, stream_alone, 1);
    hear(talk, "S1");
    talk->write = "LED,13,ON";
    talk->verify = 0;
    board_run(&talk->board, talk->now_ms);
    hear(talk, "S2"); /* before the reply: may still be from before the write */
    board_line(&talk->board, "OK", talk->now_ms);
    assert_said(talk, "stream=S1 >LED,13,ON stream=S2 ");
    hear(talk, "S3"); /* which came in one go with it */
    assert_said(talk, "stream=S3 end=written ");
}

static void a_mute_write_is_confirmed_by_what_is_read(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "LED,13,ON";
    talk->verify = 0;
    talk->mute = true;
    pass(talk, 100);
    assert_said(talk, ">LED,13,ON >READ ");
    hear(talk, "TEMP:2");
    assert_said(talk, "read=TEMP:2 end=written ");

    open_with(talk, stream_alone, 1);
    hear(talk, "S1");
    talk->write = "LED,13,OFF";
    pass(talk, 400);
    hear(talk, "S2");
    assert_said(talk, "stream=S1 >LED,13,OFF stream=S2 end=written ");
    talk->write = "LED,13,ON";
    pass(talk, 500);
    assert_said(talk, ">LED,13,ON failed=stream end=unread ");
}

static void a_mute_write_that_nothing_reads_back_ends_at_once(void **state)
{
    struct talk *talk = *state;

    begin(talk);
    talk->write = "ALIVE";
    talk->verify = -1;
    talk->mute = true;
    pass(talk, 100);
    assert_said(talk, ">ALIVE end=written ");
    pass(talk, 900);
    assert_said(talk, ">READ ");
}

/* ---- the remedy ---- */

static void a_board_that_hangs_is_reset_and_asked_at_once(void **state)
{
    struct talk *talk = *state;

    talk->settings.reset_on_hang = true;
    begin(talk);
    pass(talk, 1000 + 3 * 2 * REPLY_MS);
    assert_said(talk, ">READ failed=READ >READ failed=READ >READ failed=READ RESET ");
    assert_int_equal(talk->board.counters.resets, 1);
    hear(talk, "READY");
    assert_said(talk, ">READ ");
    hear(talk, "TEMP:2");
    assert_int_equal(talk->board.breaker.state, BREAKER_CLOSED);
    assert_said(talk, "read=TEMP:2 ");
}

static void a_reset_that_does_not_help_is_not_repeated_at_once(void **state)
{
    struct talk *talk = *state;

    talk->settings.reset_on_hang = true;
    begin(talk);
    pass(talk, 1000 + 3 * 2 * REPLY_MS + BOOT_MS + REPLY_MS);
    assert_int_equal(talk->board.counters.resets, 1);
    talk->said[0] = '\0';
    pass(talk, OPEN_MS - 1);
    assert_said(talk, "");
    pass(talk, 1 + BOOT_MS + REPLY_MS);
    assert_said(talk, "RESET >READ failed=READ ");
    pass(talk, 3600 * 1000);
    assert_in_range(talk->board.counters.resets, 50, 60);
}

static void a_silent_stream_is_reset_too(void **state)
{
    struct talk *talk = *state;

    talk->settings.reset_on_hang = true;
    open_with(talk, stream_alone, 1);
    pass(talk, BOOT_MS + 3 * 500);
    assert_said(talk, "failed=stream failed=stream failed=stream RESET ");
    pass(talk, BOOT_MS + OPEN_MS);
    assert_int_equal(talk->board.counters.resets, 1);
    pass(talk, 1000);
    assert_int_equal(talk->board.counters.resets, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_asked_while_the_board_boots),
        TEST(the_first_line_ends_the_boot),
        TEST(polls_keep_their_rhythm),
        TEST(two_polls_share_the_wire),
        TEST(what_was_missed_is_not_made_up_for),
        TEST(a_late_line_is_not_the_next_answer),
        TEST(without_a_late_line_the_next_request_waits),
        TEST(foreign_lines_are_counted_and_the_wait_goes_on),
        TEST(a_write_goes_ahead_of_a_poll),
        TEST(a_write_waits_for_the_poll_in_flight),
        TEST(a_write_is_read_back_at_once),
        TEST(a_refused_write_ends_at_once),
        TEST(an_unanswered_write_is_looked_after),
        TEST(an_unanswered_write_without_a_reading_fails),
        TEST(a_confirmed_write_that_cannot_be_read_back_says_so),
        TEST(a_write_on_a_dying_board_ends_once),
        TEST(an_unplugged_port_ends_everything),
        TEST(the_breaker_spares_a_board_that_hangs),
        TEST(a_port_that_comes_back_closes_the_breaker),
        TEST(a_stream_is_heard_while_the_board_boots),
        TEST(a_silent_stream_fails_each_period_and_is_well_with_one_line),
        TEST(streams_and_replies_share_the_wire),
        TEST(a_stream_reads_a_write_back),
        TEST(a_mute_write_is_confirmed_by_what_is_read),
        TEST(a_mute_write_that_nothing_reads_back_ends_at_once),
        TEST(a_board_that_hangs_is_reset_and_asked_at_once),
        TEST(a_reset_that_does_not_help_is_not_repeated_at_once),
        TEST(a_silent_stream_is_reset_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
