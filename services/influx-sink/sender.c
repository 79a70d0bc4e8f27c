#include "sender.h"

#include "clock.h"
#include "conflict.h"
#include "draw.h"
#include "field_types_file.h"
#include "loader.h"
#include "log.h"
#include "report.h"
#include "target.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPES_MAX 20000 /* fields whose type is remembered */
#define LIGHT_SHARE 100 /* a batch of less than this part of a full one is light … */
#define LIGHT_AGE 20    /* … and waits this part of the time */

struct sender {
    struct sender_options options;
    struct target *target;
    struct report *report;
    struct field_types *types;
    char *types_path;
    struct deliver deliver;
    struct halt halt;
    struct burial burial;
    struct loader loader;
    struct batch batch;
    struct target_answer answer;
    int64_t posted_ms; /* start of the last batch's first post */
    pthread_t thread;
    bool running;         /* the thread was started */
    bool types_full_told; /* in the log */
    _Atomic int breaker;
    atomic_bool away, held;
    _Atomic int64_t received_ms;
    health_counter *posts, *stored;
};

static void sender_show(struct sender *sender, enum deliver_verdict verdict)
{
    bool away = verdict == DELIVER_AWAY, held = verdict == DELIVER_HELD;
    bool was_held = atomic_exchange(&sender->held, held);
    bool was_away = atomic_exchange(&sender->away, away);
    const struct target_settings *target = sender->options.target;
    const struct target_answer *answer = &sender->answer;
    char text[560];

    atomic_store(&sender->breaker, (int)sender->deliver.breaker.state);
    if ((was_away || was_held) && !away && !held)
        log_info("store_back", "target=%s url=%s", target->name, target->url);
    if ((!away || was_away) && (!held || was_held))
        return;
    snprintf(text, sizeof(text), "store %s %s: status %d, %s", target->name,
             held ? "takes nothing from us" : "away", answer->result.status, answer->words);
    log_warning(held ? "store_holds" : "store_away", "target=%s url=%s status=%d reason=\"%s\"",
                target->name, target->url, answer->result.status, answer->words);
    report_error(sender->report, text);
}

static void sender_bury(struct sender *sender, enum deliver_verdict verdict, size_t from, size_t to)
{
    const char *words = sender->answer.words;
    const char *reason = verdict == DELIVER_REFUSED     ? "refused"
                         : verdict == DELIVER_TOO_LARGE ? "too_large"
                                                        : "partly_refused";
    struct message message;
    char detail[560];

    if (!batch_find(&sender->batch, from, &message))
        return;
    if (verdict == DELIVER_REST_STORED && to - from > 1)
        snprintf(
            detail, sizeof(detail),
            "of %zu points from here on the store keeps those it can and refuses the others: %s",
            to - from, words);
    else
        snprintf(detail, sizeof(detail), "status %d: %s", sender->answer.result.status, words);
    burial_add(&sender->burial, &message, reason, detail);
    outcome_bury(&sender->batch.outcome, &message, from);
}

/* The store says that a field of ours is of another type. Where that is news, and nothing of the
 * batch has an end yet, all of it is encoded anew. */
static bool sender_learn(struct sender *sender, size_t from)
{
    int status = sender->answer.result.status;

    if (status != 400 && status != 422)
        return false;
    return conflict_learn(sender->types, sender->answer.words) && from == 0 &&
           sender->batch.n_buried == 0;
}

/* Posts these lines and sees to the answer. False where the batch is to be left. */
static bool sender_post(struct sender *sender, size_t from, size_t to)
{
    enum deliver_verdict verdict;
    size_t size;
    const char *text = lines_range(&sender->batch.lines, from, to, &size);

    target_post(sender->target, text, size, &sender->answer);
    if (halt_called(&sender->halt) && sender->answer.result.status == 0)
        return false;
    health_raise(sender->posts, 1);
    verdict =
        deliver_take(&sender->deliver, to - from, &sender->answer.result, draw(), clock_now_ms());
    sender_show(sender, verdict);
    if (sender_learn(sender, from))
        return false;
    if (verdict == DELIVER_STORED)
        health_raise(sender->stored, to - from);
    if (verdict == DELIVER_REFUSED || verdict == DELIVER_TOO_LARGE ||
        verdict == DELIVER_REST_STORED)
        sender_bury(sender, verdict, from, to);
    return !halt_called(&sender->halt) || (verdict != DELIVER_AWAY && verdict != DELIVER_HELD);
}

/* Until every line of the batch has an end. False where it has not: the batch is to be read again,
 * or the sender shall end. */
static bool sender_deliver(struct sender *sender)
{
    struct deliver *deliver = &sender->deliver;

    deliver_begin(deliver, sender->batch.lines.n);
    for (;;) {
        struct deliver_next next = deliver_next(deliver, clock_now_ms());

        if (next.step == DELIVER_DONE)
            return true;
        if (next.step == DELIVER_WAIT) {
            if (!halt_sleep(&sender->halt, next.at_ms, -1))
                return false;
            continue;
        }
        if (!sender_post(sender, next.from, next.to))
            return false;
    }
}

/* What is not on the disk of them is learnt again, so that holds nothing up. */
static void sender_keep_types(struct sender *sender)
{
    int error = field_types_take_change(sender->types)
                    ? field_types_save(sender->types, sender->types_path)
                    : 0;

    if (error)
        burial_trouble(&sender->burial, sender->types_path, error);
    if (field_types_full(sender->types) && !sender->types_full_told) {
        sender->types_full_told = true;
        log_warning("field_types_full",
                    "target=%s fields=%d what_happens=\"others go as they come\"",
                    sender->options.target->name, TYPES_MAX);
    }
}

/* Field types, dead letters and ledger first: a cursor that moved cannot be taken back. */
static void sender_commit(struct sender *sender)
{
    int error;

    sender_keep_types(sender);
    if (!burial_sync(&sender->burial))
        return;
    outcome_settle(&sender->batch.outcome, sender->batch.next);
    error = spool_commit(sender->options.reader, sender->batch.next);
    if (error)
        burial_trouble(&sender->burial, "cursor of the spool", error);
    batch_clear(&sender->batch);
    atomic_store(&sender->received_ms, 0);
}

static void sender_start_again(struct sender *sender)
{
    spool_seek(sender->options.reader, 0);
    batch_clear(&sender->batch);
}

/* When the batch goes. The first message after a pause goes at once. While posts follow each other
 * they are batch.age apart, so that under load many points share one; the few points of a light
 * load wait a twentieth of it, which costs the store twenty posts in that time at most. */
static int64_t sender_due_ms(const struct sender *sender)
{
    const struct settings *settings = sender->options.settings;
    bool light = sender->batch.lines.n * LIGHT_SHARE < settings->batch_points;

    return sender->posted_ms + settings->batch_age_ms / (light ? LIGHT_AGE : 1);
}

/* False where the sender shall end. */
static bool sender_gather(struct sender *sender)
{
    const struct batch *batch = &sender->batch;
    int error = loader_fill(&sender->loader, &sender->batch);

    atomic_store(&sender->received_ms, batch->received_ms);
    while (!error && batch->n_messages > 0 && !loader_is_full(&sender->loader, batch) &&
           clock_now_ms() < sender_due_ms(sender)) {
        if (!halt_sleep(&sender->halt, sender_due_ms(sender), -1))
            return false;
        error = loader_fill(&sender->loader, &sender->batch);
    }
    if (!error)
        return true;
    sender_start_again(sender); /* what was read and is not in the batch is read again with it */
    return burial_trouble(&sender->burial, "spool", error);
}

static void *sender_run(void *self)
{
    struct sender *sender = self;

    while (!halt_called(&sender->halt) && sender_gather(sender)) {
        if (sender->batch.n_messages == 0) {
            halt_sleep(&sender->halt, INT64_MAX, spool_fd(sender->options.reader));
            continue;
        }
        sender->posted_ms = clock_now_ms();
        if (sender_deliver(sender))
            sender_commit(sender);
        else
            sender_start_again(sender);
    }
    return NULL;
}

/* What counts for another target than "main" has its name behind. */
static health_counter *sender_counter(const struct sender *sender, const char *what)
{
    const char *target = sender->options.target->name;
    char name[96];

    if (strcmp(target, SETTINGS_TARGET_USUAL) == 0)
        return health_count(sender->options.health, what);
    snprintf(name, sizeof(name), "%s.%s", what, target);
    return health_count(sender->options.health, name);
}

static void sender_init(struct sender *sender)
{
    const struct settings *settings = sender->options.settings;
    struct deliver_options deliver = {.lines_max = settings->batch_points,
                                      .backoff_first_ms = settings->backoff_first_ms,
                                      .backoff_max_ms = settings->backoff_max_ms,
                                      .breaker_threshold = settings->breaker_threshold,
                                      .breaker_open_ms = settings->breaker_open_ms};

    deliver_init(&sender->deliver, &deliver);
    sender->batch.outcome.account = sender->options.account;
    sender->batch.outcome.root = sender->options.root;
    sender->posts = sender_counter(sender, "posts");
    sender->stored = sender_counter(sender, "stored");
    sender->burial =
        (struct burial){.report = sender->report,
                        .halt = &sender->halt,
                        .target = settings->n_targets > 1 ? sender->options.target->name : NULL};
    sender->loader = (struct loader){.reader = sender->options.reader,
                                     .burial = &sender->burial,
                                     .encoder = {.root = sender->options.root,
                                                 .mapping = &settings->encode.mapping,
                                                 .types = sender->types,
                                                 .past_ms = settings->encode.past_ms,
                                                 .future_ms = settings->encode.future_ms},
                                     .points_max = settings->batch_points,
                                     .points = sender_counter(sender, "points"),
                                     .empty = sender_counter(sender, "empty"),
                                     .coerced = sender_counter(sender, "coerced"),
                                     .rounded = sender_counter(sender, "rounded")};
}

static int sender_load_types(struct sender *sender)
{
    int result = field_types_open(&sender->types, TYPES_MAX);

    if (!result &&
        asprintf(&sender->types_path, "%s/types.%s.jsonl",
                 sender->options.settings->types_directory, sender->options.target->name) < 0) {
        sender->types_path = NULL;
        result = -ENOMEM;
    }
    if (!result)
        result = field_types_load(sender->types, sender->types_path);
    if (result < 0)
        log_error("types_unusable", "file=%s reason=\"%s\"",
                  sender->types_path ? sender->types_path : "",
                  result == -EPROTO ? "no file of field types, or a newer one: move it away"
                                    : strerror(-result));
    if (result > 0)
        log_warning("types_damaged", "file=%s lines=%d what_happens=\"they are learnt again\"",
                    sender->types_path, result);
    return result < 0 ? result : 0;
}

int sender_open(struct sender **out, const struct sender_options *options)
{
    struct sender *sender = calloc(1, sizeof(*sender));
    int error;

    if (!sender)
        return -ENOMEM;
    sender->options = *options;
    error = halt_open(&sender->halt);
    if (!error)
        error = sender_load_types(sender);
    if (!error)
        error = target_open(&sender->target, options->target);
    if (!error)
        error = report_open(&sender->report, options->settings, options->health, options->events);
    if (!error) {
        sender_init(sender);
        error = -pthread_create(&sender->thread, NULL, sender_run, sender);
    }
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
    halt_call(&sender->halt);
    if (sender->running) {
        target_abort(sender->target);
        pthread_join(sender->thread, NULL);
    }
    target_close(sender->target);
    report_close(sender->report);
    field_types_close(sender->types);
    free(sender->types_path);
    batch_free(&sender->batch);
    halt_close(&sender->halt);
    free(sender);
}

struct sender_view sender_view(const struct sender *sender)
{
    return (struct sender_view){.breaker = (enum breaker_state)atomic_load(&sender->breaker),
                                .away = atomic_load(&sender->away),
                                .held = atomic_load(&sender->held),
                                .received_ms = atomic_load(&sender->received_ms)};
}
