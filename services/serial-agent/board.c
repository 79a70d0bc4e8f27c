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
    for (size_t i = 0; i < settings->n_polls; i++)
        board->asks = board->asks || settings->polls[i].request;
}

static bool is_stream(const struct board *board, size_t poll)
{
    return !board->settings->polls[poll].request;
}

static void close_breaker(struct board *board)
{
    board->failures = 0;
    board->reset_owed = false;
    breaker_init(&board->breaker, board->settings->threshold, board->settings->open_ms);
}

/* A booting board is not silent yet. */
static void boot(struct board *board, int64_t now_ms)
{
    board->state = BOARD_BOOTING;
    board->until_ms = now_ms + board->settings->boot_ms;
    for (size_t i = 0; i < board->settings->n_polls; i++)
        if (is_stream(board, i))
            board->due_ms[i] = board->until_ms + board->settings->polls[i].period_ms;
}

void board_opened(struct board *board, int64_t now_ms)
{
    board->heard = false;
    close_breaker(board);
    for (size_t i = 0; i < board->settings->n_polls; i++)
        board->due_ms[i] = now_ms;
    boot(board, now_ms);
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

/* Whether the line is a stream's. Where nothing is asked it alone proves that the board is well. */
static bool stream_line(struct board *board, const char *line, int64_t now_ms)
{
    int stream = board->handlers->on_stream_line(board->self, line);

    if (stream < 0)
        return false;
    board->counters.streamed++;
    board->due_ms[stream] = now_ms + board->settings->polls[stream].period_ms;
    board->heard = true;
    if (!board->asks && board->failures > 0)
        close_breaker(board);
    if (board->state == BOARD_AWAITING && board->verify == stream) {
        board->state = BOARD_IDLE;
        end_write(board, board->answered ? BOARD_WRITTEN : BOARD_UNSURE);
    }
    return true;
}

static void free_line(struct board *board, const char *line, int64_t now_ms, uint64_t *otherwise)
{
    if (!stream_line(board, line, now_ms))
        ++*otherwise;
}

static void poll_line(struct board *board, const char *line, int64_t now_ms)
{
    if (!board->handlers->on_poll_line(board->self, board->poll, line)) {
        free_line(board, line, now_ms, &board->counters.unexpected);
        return;
    }
    heard_from(board);
    if (polls_to_verify(board))
        end_write(board, board->answered ? BOARD_WRITTEN : BOARD_UNSURE);
}

static void await(struct board *board, int64_t now_ms)
{
    board->state = BOARD_AWAITING;
    board->until_ms = now_ms + board->settings->polls[board->verify].period_ms;
}

static void write_line(struct board *board, const char *line, int64_t now_ms)
{
    switch (board->handlers->on_write_line(board->self, line)) {
    case BOARD_NOT_MINE:
        free_line(board, line, now_ms, &board->counters.unexpected);
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
        else if (is_stream(board, (size_t)board->verify))
            await(board, now_ms); /* the very next line may be it */
    }
}

void board_line(struct board *board, const char *line, int64_t now_ms)
{
    switch (board->state) {
    case BOARD_CLOSED:
        return;
    case BOARD_BOOTING:
        board->until_ms = now_ms;
        free_line(board, line, now_ms, &board->counters.boot_lines);
        return;
    case BOARD_IDLE:
    case BOARD_AWAITING:
        free_line(board, line, now_ms, &board->counters.unexpected);
        return;
    case BOARD_SETTLING:
        if (stream_line(board, line, now_ms))
            return;
        board->counters.late++;
        board->state = BOARD_IDLE;
        return;
    case BOARD_POLLING:
        poll_line(board, line, now_ms);
        return;
    case BOARD_WRITING:
        write_line(board, line, now_ms);
    }
}

/* One more failure. Where it opens the breaker, the remedy is tried at once: the wait of open_ms is
 * for when that has not helped. */
static void fail(struct board *board, int64_t now_ms)
{
    bool closed = board->breaker.state == BREAKER_CLOSED;

    board->failures++;
    breaker_failure(&board->breaker, now_ms);
    board->reset_owed = board->settings->reset_on_hang && board->breaker.state == BREAKER_OPEN;
    if (closed && board->reset_owed)
        board->breaker.opened_ms = now_ms - board->settings->open_ms;
}

static void time_out(struct board *board, int64_t now_ms)
{
    bool polled = board->state == BOARD_POLLING;

    board->counters.timeouts++;
    board->handlers->abandon(board->self);
    fail(board, now_ms);
    board->state = BOARD_SETTLING;
    board->until_ms = now_ms + board->settings->reply_ms;
    if (polled)
        board->handlers->on_poll_failed(board->self, board->poll);
    if (polled ? polls_to_verify(board) : board->verify == NO_VERIFY)
        end_write(board, board->answered ? BOARD_UNREAD : BOARD_UNANSWERED);
}

static void silent(struct board *board, size_t stream, int64_t now_ms)
{
    board->counters.silences++;
    board->handlers->abandon(board->self);
    if (!board->asks && !board->reset_owed) {
        breaker_allow(&board->breaker, now_ms); /* to have listened was the probe */
        fail(board, now_ms);
    }
    board->due_ms[stream] = now_ms + board->settings->polls[stream].period_ms;
    board->handlers->on_poll_failed(board->self, stream);
}

static void look_for_silence(struct board *board, int64_t now_ms)
{
    if (board->state == BOARD_CLOSED || board->state == BOARD_BOOTING)
        return;
    for (size_t i = 0; i < board->settings->n_polls; i++)
        if (is_stream(board, i) && board->due_ms[i] <= now_ms)
            silent(board, i, now_ms);
}

static void reset(struct board *board, int64_t now_ms)
{
    board->reset_owed = false;
    board->counters.resets++;
    end_write(board, board->answered ? BOARD_UNREAD : BOARD_UNANSWERED);
    board->handlers->reset(board->self);
    boot(board, now_ms);
}

static void request(struct board *board, const char *line, enum board_state state, int64_t until_ms)
{
    board->state = state;
    board->until_ms = until_ms;
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
    request(board, settings->request, BOARD_POLLING, now_ms + board->settings->reply_ms);
}

static bool start_write(struct board *board, int64_t now_ms)
{
    struct board_write write = {.verify = NO_VERIFY};

    if (!board->handlers->next_write(board->self, &write))
        return false;
    board->writing = true;
    board->answered = write.mute;
    board->verify = write.verify;
    request(board, write.line, write.mute ? BOARD_IDLE : BOARD_WRITING,
            now_ms + (write.reply_ms > 0 ? write.reply_ms : board->settings->reply_ms));
    if (write.mute && write.verify == NO_VERIFY)
        end_write(board, BOARD_WRITTEN);
    return true;
}

/* The poll that was due first; n_polls where none is due. */
static size_t due_poll(const struct board *board, int64_t now_ms)
{
    size_t first = board->settings->n_polls;

    for (size_t i = 0; i < board->settings->n_polls; i++)
        if (!is_stream(board, i) && board->due_ms[i] <= now_ms &&
            (first == board->settings->n_polls || board->due_ms[i] < board->due_ms[first]))
            first = i;
    return first;
}

/* Of a write that has been sent and is not over. */
static void read_back(struct board *board, int64_t now_ms)
{
    if (is_stream(board, (size_t)board->verify))
        await(board, now_ms);
    else if (breaker_allow(&board->breaker, now_ms))
        start_poll(board, (size_t)board->verify, now_ms);
    else
        end_write(board, board->answered ? BOARD_UNREAD : BOARD_UNANSWERED);
}

static void start_next(struct board *board, int64_t now_ms)
{
    size_t poll;

    if (board->writing) {
        read_back(board, now_ms);
        return;
    }
    if (board->breaker.state == BREAKER_CLOSED && start_write(board, now_ms))
        return;
    poll = due_poll(board, now_ms);
    if (poll < board->settings->n_polls && breaker_allow(&board->breaker, now_ms))
        start_poll(board, poll, now_ms);
}

static bool reset_due(const struct board *board, int64_t now_ms)
{
    return board->reset_owed && breaker_ready_ms(&board->breaker, now_ms) <= now_ms;
}

static void end_awaiting(struct board *board)
{
    board->state = BOARD_IDLE;
    end_write(board, board->answered ? BOARD_UNREAD : BOARD_UNANSWERED);
}

void board_run(struct board *board, int64_t now_ms)
{
    bool over = now_ms >= board->until_ms;

    look_for_silence(board, now_ms);
    if (over && (board->state == BOARD_POLLING || board->state == BOARD_WRITING))
        time_out(board, now_ms);
    else if (over && board->state == BOARD_AWAITING)
        end_awaiting(board);
    else if (over && (board->state == BOARD_BOOTING || board->state == BOARD_SETTLING))
        board->state = BOARD_IDLE;
    if (board->state == BOARD_IDLE && reset_due(board, now_ms))
        reset(board, now_ms);
    if (board->state == BOARD_IDLE)
        start_next(board, now_ms);
}

/* When the first poll is due or the first stream has been silent for too long. */
static int64_t first_due(const struct board *board, bool streams)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < board->settings->n_polls; i++)
        if (is_stream(board, i) == streams && board->due_ms[i] < due)
            due = board->due_ms[i];
    return due;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t board_due_ms(const struct board *board, int64_t now_ms)
{
    int64_t silence = first_due(board, true);
    int64_t ready = breaker_ready_ms(&board->breaker, now_ms);
    int64_t poll = first_due(board, false);

    if (board->state == BOARD_CLOSED)
        return INT64_MAX;
    if (board->state == BOARD_BOOTING)
        return board->until_ms;
    if (board->state != BOARD_IDLE)
        return earlier(board->until_ms, silence);
    if (board->writing)
        return now_ms;
    if (board->reset_owed)
        silence = earlier(silence, ready);
    return earlier(silence, poll < ready ? ready : poll);
}
