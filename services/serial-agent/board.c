#include "board.h"

#include <string.h>

#define NO_VERIFY (-1)

void board_init(struct board *board, const struct board_settings *settings,
                const struct board_handlers *handlers, void *self)
{
    memset(board, 0, sizeof *board);
    board->settings = settings;
    board->handlers = handlers;
    board->self = self;
    board->verify = NO_VERIFY;
}

void board_opened(struct board *board, int64_t now_ms)
{
    board->state = BOARD_BOOTING;
    board->until_ms = now_ms + board->settings->boot_ms;
    board->heard = false;
    board->failures = 0;
    breaker_init(&board->breaker, board->settings->threshold, board->settings->open_ms);
    for (size_t i = 0; i < board->settings->n_polls; i++)
        board->due_ms[i] = now_ms;
}

static void end_write(struct board *board, enum board_end end)
{
    bool owed = board->writing;

    board->writing = false;
    board->answered = false;
    board->verify = NO_VERIFY;
    if (owed)
        board->handlers->on_write_end(board->self, end);
}

void board_closed(struct board *board)
{
    board->state = BOARD_CLOSED;
    end_write(board, BOARD_LOST);
}

static void heard_from(struct board *board)
{
    board->failures = 0;
    board->heard = true;
    board->state = BOARD_IDLE;
    breaker_success(&board->breaker);
}

static bool polls_to_verify(const struct board *board)
{
    return board->writing && board->verify == (int)board->poll;
}

static void poll_line(struct board *board, const char *line)
{
    if (!board->handlers->on_poll_line(board->self, board->poll, line)) {
        board->counters.unexpected++;
        return;
    }
    heard_from(board);
    if (polls_to_verify(board))
        end_write(board, board->answered ? BOARD_WRITTEN : BOARD_UNSURE);
}

static void write_line(struct board *board, const char *line)
{
    switch (board->handlers->on_write_line(board->self, line)) {
    case BOARD_NOT_MINE:
        board->counters.unexpected++;
        return;
    case BOARD_REFUSED:
        heard_from(board);
        end_write(board, BOARD_ERROR);
        return;
    case BOARD_CONFIRMED:
        heard_from(board);
        board->answered = true;
        if (board->verify == NO_VERIFY)
            end_write(board, BOARD_WRITTEN);
    }
}

void board_line(struct board *board, const char *line, int64_t now_ms)
{
    switch (board->state) {
    case BOARD_CLOSED:
        return;
    case BOARD_BOOTING:
        board->counters.boot_lines++;
        board->until_ms = now_ms;
        return;
    case BOARD_IDLE:
        board->counters.unexpected++;
        return;
    case BOARD_SETTLING:
        board->counters.late++;
        board->state = BOARD_IDLE;
        return;
    case BOARD_POLLING:
        poll_line(board, line);
        return;
    case BOARD_WRITING:
        write_line(board, line);
    }
}

static void time_out(struct board *board, int64_t now_ms)
{
    bool polled = board->state == BOARD_POLLING;

    board->counters.timeouts++;
    board->failures++;
    breaker_failure(&board->breaker, now_ms);
    board->state = BOARD_SETTLING;
    board->until_ms = now_ms + board->settings->reply_ms;
    if (polled)
        board->handlers->on_poll_failed(board->self, board->poll);
    if (polled ? polls_to_verify(board) : board->verify == NO_VERIFY)
        end_write(board, board->answered ? BOARD_UNREAD : BOARD_UNANSWERED);
}

static void request(struct board *board, const char *line, enum board_state state, int64_t now_ms)
{
    board->state = state;
    board->until_ms = now_ms + board->settings->reply_ms;
    board->counters.requests++;
    board->handlers->send(board->self, line);
}

static void start_poll(struct board *board, size_t poll, int64_t now_ms)
{
    const struct board_poll *settings = &board->settings->polls[poll];
    int64_t late = now_ms - board->due_ms[poll];

    /* Polls keep their rhythm; what was missed is not made up for. */
    if (late >= 0)
        board->due_ms[poll] += (late / settings->period_ms + 1) * settings->period_ms;
    board->poll = poll;
    request(board, settings->request, BOARD_POLLING, now_ms);
}

static bool start_write(struct board *board, int64_t now_ms)
{
    struct board_write write;

    if (!board->handlers->next_write(board->self, &write))
        return false;
    board->writing = true;
    board->answered = false;
    board->verify = write.verify;
    request(board, write.line, BOARD_WRITING, now_ms);
    return true;
}

/* The poll that was due first; n_polls where none is due. */
static size_t due_poll(const struct board *board, int64_t now_ms)
{
    size_t first = board->settings->n_polls;

    for (size_t i = 0; i < board->settings->n_polls; i++)
        if (board->due_ms[i] <= now_ms &&
            (first == board->settings->n_polls || board->due_ms[i] < board->due_ms[first]))
            first = i;
    return first;
}

static void start_next(struct board *board, int64_t now_ms)
{
    bool verifying = board->writing;
    size_t poll = verifying ? (size_t)board->verify : due_poll(board, now_ms);

    if (board->breaker.state == BREAKER_CLOSED && !verifying && start_write(board, now_ms))
        return;
    if (poll == board->settings->n_polls)
        return;
    if (breaker_allow(&board->breaker, now_ms))
        start_poll(board, poll, now_ms);
    else if (verifying)
        end_write(board, board->answered ? BOARD_UNREAD : BOARD_UNANSWERED);
}

void board_run(struct board *board, int64_t now_ms)
{
    bool over = now_ms >= board->until_ms;

    if (over && (board->state == BOARD_POLLING || board->state == BOARD_WRITING))
        time_out(board, now_ms);
    else if (over && (board->state == BOARD_BOOTING || board->state == BOARD_SETTLING))
        board->state = BOARD_IDLE;
    if (board->state == BOARD_IDLE)
        start_next(board, now_ms);
}

int64_t board_due_ms(const struct board *board, int64_t now_ms)
{
    int64_t due = INT64_MAX;
    int64_t ready;

    if (board->state == BOARD_CLOSED)
        return INT64_MAX;
    if (board->state != BOARD_IDLE)
        return board->until_ms;
    if (board->writing)
        return now_ms;
    for (size_t i = 0; i < board->settings->n_polls; i++)
        due = board->due_ms[i] < due ? board->due_ms[i] : due;
    ready = breaker_ready_ms(&board->breaker, now_ms);
    return due < ready ? ready : due;
}
