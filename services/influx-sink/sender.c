#include "sender.h"

#include "batch.h"
#include "clock.h"
#include "draw.h"
#include "encode.h"
#include "log.h"
#include "report.h"
#include "target.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TROUBLE_WAIT_MS 1000          /* before the disk is tried again */
#define BATCH_BYTES (4 * 1024 * 1024) /* of points or of messages; then it is full */

struct sender {
    struct sender_options options;
    struct target *target;
    struct report *report;
    struct deliver deliver;
    struct batch batch;
    struct target_answer answer;
    struct buffer topic;
    int64_t posted_ms; /* start of the last batch's first post */
    bool unburied;     /* one could not be written before the end: nothing is committed any more */
    pthread_t thread;
    bool running; /* the thread was started */
    int stop;     /* eventfd, readable once the sender shall end */
    _Atomic int breaker;
    atomic_bool stopped, idle, away, held;
    _Atomic int64_t received_ms;
    health_counter *points, *posts, *stored, *empty;
};

static bool sender_stopped(const struct sender *sender)
{
    return atomic_load(&sender->stopped);
}

/* Sleeps until `until_ms`, or for something in the spool where `or_spool`; false where it shall
 * end. */
static bool sender_wait(struct sender *sender, int64_t until_ms, bool or_spool)
{
    struct pollfd ready[2] = {{.fd = sender->stop, .events = POLLIN},
                              {.fd = spool_fd(sender->options.reader), .events = POLLIN}};
    int64_t wait_ms = until_ms - clock_now_ms();

    if (wait_ms > 60000)
        wait_ms = 60000;
    if (wait_ms > 0)
        poll(ready, or_spool ? 2 : 1, (int)wait_ms);
    return !sender_stopped(sender);
}

static void sender_trouble(struct sender *sender, const char *what, int error)
{
    char text[160];

    snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
    log_error("sink_trouble", "reason=\"%s\" what_to_do=\"it is tried again each second\"", text);
    report_error(sender->report, text);
}

/* A letter that cannot be written holds everything up: its message must not be forgotten. */
static void sender_bury(struct sender *sender, const struct message *message, const char *reason,
                        const char *detail)
{
    int error;

    while ((error = report_dead(sender->report, message, reason, detail)) != 0) {
        sender_trouble(sender, "dead letters", error);
        if (!sender_wait(sender, clock_now_ms() + TROUBLE_WAIT_MS, false)) {
            sender->unburied = true;
            return;
        }
    }
}

/* Encodes one record into the batch. */
static int sender_take(struct sender *sender, const struct spool_record *record)
{
    struct batch *batch = &sender->batch;
    struct message message = {0};
    size_t first_line = batch->lines.n;
    char error[256];
    int n;

    if (message_unpack(&message, record->body, record->size) != 0) {
        sender_bury(sender, &message, "bad_record",
                    "the spool holds it in a format not known here");
        return 0;
    }
    if (batch->n_messages++ == 0)
        batch->received_ms = message.received_ms;
    if (message.cut) {
        sender_bury(sender, &message, "too_large", "longer than a record of the spool can be");
        return 0;
    }
    buffer_clear(&sender->topic);
    buffer_append(&sender->topic, message.topic, message.topic_length);
    n = encode_message(&batch->lines, sender->options.root, buffer_string(&sender->topic),
                       message.payload, message.size, error, sizeof(error));
    if (n == -ENOMEM)
        return n;
    if (n < 0)
        sender_bury(sender, &message, n == -ENOENT ? "bad_topic" : "bad_payload", error);
    if (n == 0)
        health_raise(sender->empty, 1);
    if (n > 0)
        health_raise(sender->points, (uint64_t)n);
    return n > 0 ? batch_add(batch, record->body, record->size, first_line) : 0;
}

static bool sender_full(const struct sender *sender)
{
    const struct batch *batch = &sender->batch;

    return batch->lines.n >= sender->options.settings->batch_points ||
           batch->lines.text.size >= BATCH_BYTES || batch->records.size >= BATCH_BYTES;
}

/* Reads the spool until the batch is full or nothing is left. Returns 0 or -errno. */
static int sender_fill(struct sender *sender)
{
    struct spool_record record;
    int got = 0;

    while (!sender_full(sender) && (got = spool_next(sender->options.reader, &record)) == 1) {
        int error = sender_take(sender, &record);

        if (error)
            return error;
        sender->batch.next = record.number + 1;
    }
    atomic_store(&sender->received_ms, sender->batch.received_ms);
    return got < 0 ? got : 0;
}

static void sender_show(struct sender *sender, enum deliver_verdict verdict)
{
    bool away = verdict == DELIVER_AWAY, held = verdict == DELIVER_HELD;
    bool was_held = atomic_exchange(&sender->held, held);
    bool was_away = atomic_exchange(&sender->away, away);
    const struct target_answer *answer = &sender->answer;
    char text[480];

    atomic_store(&sender->breaker, (int)sender->deliver.breaker.state);
    if ((was_away || was_held) && !away && !held)
        log_info("store_back", "url=%s", sender->options.settings->target.url);
    if ((!away || was_away) && (!held || was_held))
        return;
    snprintf(text, sizeof(text), "store %s: status %d, %s", held ? "takes nothing from us" : "away",
             answer->result.status, answer->words);
    log_warning(held ? "store_holds" : "store_away", "url=%s status=%d reason=\"%s\"",
                sender->options.settings->target.url, answer->result.status, answer->words);
    report_error(sender->report, text);
}

static void sender_act(struct sender *sender, enum deliver_verdict verdict, size_t from, size_t to)
{
    const char *words = sender->answer.words;
    struct message message;
    char detail[560];

    sender_show(sender, verdict);
    if (verdict == DELIVER_STORED)
        health_raise(sender->stored, to - from);
    if (verdict != DELIVER_REFUSED && verdict != DELIVER_TOO_LARGE &&
        verdict != DELIVER_REST_STORED)
        return;
    if (!batch_find(&sender->batch, from, &message))
        return;
    if (verdict == DELIVER_REST_STORED && to - from > 1)
        snprintf(
            detail, sizeof(detail),
            "of %zu points from here on the store keeps those it can and refuses the others: %s",
            to - from, words);
    else
        snprintf(detail, sizeof(detail), "status %d: %s", sender->answer.result.status, words);
    sender_bury(sender, &message,
                verdict == DELIVER_REFUSED     ? "refused"
                : verdict == DELIVER_TOO_LARGE ? "too_large"
                                               : "partly_refused",
                detail);
}

/* Until every line of the batch has an end. False where the sender shall end before. */
static bool sender_deliver(struct sender *sender)
{
    struct deliver *deliver = &sender->deliver;

    deliver_begin(deliver, sender->batch.lines.n);
    for (;;) {
        struct deliver_next next = deliver_next(deliver, clock_now_ms());
        enum deliver_verdict verdict;
        const char *text;
        size_t size;

        if (next.step == DELIVER_DONE)
            return true;
        if (next.step == DELIVER_WAIT) {
            if (!sender_wait(sender, next.at_ms, false))
                return false;
            continue;
        }
        text = lines_range(&sender->batch.lines, next.from, next.to, &size);
        target_post(sender->target, text, size, &sender->answer);
        if (sender_stopped(sender) && sender->answer.result.status == 0)
            return false;
        health_raise(sender->posts, 1);
        verdict = deliver_take(deliver, next.to - next.from, &sender->answer.result, draw(),
                               clock_now_ms());
        sender_act(sender, verdict, next.from, next.to);
        if (sender_stopped(sender) && (verdict == DELIVER_AWAY || verdict == DELIVER_HELD))
            return false;
    }
}

/* Dead letters first: a cursor that moved cannot be taken back. */
static void sender_commit(struct sender *sender)
{
    int error;

    while ((error = report_sync(sender->report)) != 0) {
        sender_trouble(sender, "dead letters", error);
        if (!sender_wait(sender, clock_now_ms() + TROUBLE_WAIT_MS, false))
            return;
    }
    error = spool_commit(sender->options.reader, sender->batch.next);
    if (error)
        sender_trouble(sender, "cursor of the spool", error);
    batch_clear(&sender->batch);
    atomic_store(&sender->received_ms, 0);
}

/* The first message after a pause goes at once; after that posts are at least batch.age apart, so
 * that under load many points share one. */
static bool sender_gather(struct sender *sender)
{
    int64_t due_ms = sender->posted_ms + sender->options.settings->batch_age_ms;
    int error = sender_fill(sender);

    while (!error && !sender_full(sender) && clock_now_ms() < due_ms) {
        if (sender->batch.n_messages == 0)
            break;
        if (!sender_wait(sender, due_ms, false))
            return false;
        error = sender_fill(sender);
    }
    if (error) { /* what was read and is not in the batch is read again with it */
        sender_trouble(sender, "spool", error);
        spool_rewind(sender->options.reader);
        batch_clear(&sender->batch);
        return sender_wait(sender, clock_now_ms() + TROUBLE_WAIT_MS, false);
    }
    return true;
}

static void *sender_run(void *self)
{
    struct sender *sender = self;

    while (!sender_stopped(sender)) {
        if (!sender_gather(sender))
            break;
        if (sender->batch.n_messages == 0) {
            atomic_store(&sender->idle, true);
            sender_wait(sender, INT64_MAX, true);
            atomic_store(&sender->idle, false);
            continue;
        }
        sender->posted_ms = clock_now_ms();
        if (sender_deliver(sender) && !sender->unburied)
            sender_commit(sender);
    }
    return NULL;
}

static void sender_count(struct sender *sender)
{
    struct health *health = sender->options.health;

    sender->points = health_count(health, "points");
    sender->posts = health_count(health, "posts");
    sender->stored = health_count(health, "stored");
    sender->empty = health_count(health, "empty");
}

int sender_open(struct sender **out, const struct sender_options *options)
{
    const struct settings *settings = options->settings;
    struct deliver_options deliver = {.lines_max = settings->batch_points,
                                      .backoff_first_ms = settings->backoff_first_ms,
                                      .backoff_max_ms = settings->backoff_max_ms,
                                      .breaker_threshold = settings->breaker_threshold,
                                      .breaker_open_ms = settings->breaker_open_ms};
    struct sender *sender = calloc(1, sizeof(*sender));
    int error;

    if (!sender)
        return -ENOMEM;
    sender->options = *options;
    sender->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sender_count(sender);
    deliver_init(&sender->deliver, &deliver);
    error = sender->stop < 0 ? -errno : target_open(&sender->target, &settings->target);
    if (!error)
        error = report_open(&sender->report, settings, options->health, options->events);
    if (!error)
        error = -pthread_create(&sender->thread, NULL, sender_run, sender);
    if (error) {
        sender_close(sender);
        return error;
    }
    sender->running = true;
    *out = sender;
    return 0;
}

void sender_close(struct sender *sender)
{
    if (!sender)
        return;
    atomic_store(&sender->stopped, true);
    if (sender->stop >= 0)
        eventfd_write(sender->stop, 1);
    if (sender->running) {
        target_abort(sender->target);
        pthread_join(sender->thread, NULL);
    }
    target_close(sender->target);
    report_close(sender->report);
    batch_free(&sender->batch);
    buffer_free(&sender->topic);
    if (sender->stop >= 0)
        close(sender->stop);
    free(sender);
}

struct sender_view sender_view(const struct sender *sender)
{
    return (struct sender_view){.breaker = (enum breaker_state)atomic_load(&sender->breaker),
                                .idle = atomic_load(&sender->idle),
                                .away = atomic_load(&sender->away),
                                .held = atomic_load(&sender->held),
                                .received_ms = atomic_load(&sender->received_ms)};
}
