#include "sender.h"

#include "clock.h"
#include "courier.h"
#include "field_types_file.h"
#include "log.h"
#include "report.h"
#include "spans.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX_MS 60000

struct sender {
    struct sender_options options;
    struct report *report;
    struct field_types *types;
    char *types_path;
    struct halt halt;
    struct burial burial;
    struct feed feed;
    struct office office;
    struct courier couriers[TARGET_POSTS];
    struct spans done;
    pthread_t thread;
    bool running;         /* the thread was started */
    bool types_full_told; /* in the log */
    _Atomic int64_t received_ms;
    _Atomic uint64_t n_done;
};

/* Until when there is nothing to do. */
struct pause {
    int64_t until_ms;
    bool for_spool; /* or until that has more */
};

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
                    sender->options.target->name, FIELD_TYPES_MAX);
    }
}

/* Field types, dead letters and ledger first: a cursor that moved cannot be taken back. */
static void sender_settle(struct sender *sender, struct batch *batch)
{
    uint64_t done = sender->done.done;
    int error = 0;

    sender_keep_types(sender);
    if (!burial_sync(&sender->burial))
        return;
    outcome_settle(&batch->outcome, batch->first, batch->next);
    spans_add(&sender->done, batch->first, batch->next);
    if (sender->done.done > done)
        error = spool_commit(sender->options.reader, sender->done.done);
    atomic_store(&sender->n_done, spans_count(&sender->done));
    if (error)
        burial_trouble(&sender->burial, "cursor of the spool", error);
}

static void sender_finish(struct sender *sender, struct batch *batch)
{
    sender_settle(sender, batch);
    batch_clear(batch);
}

/* Who is to have more: the one with a batch that is not full yet, or else a free one; NULL: nobody.
 */
static struct courier *sender_gatherer(struct sender *sender)
{
    struct courier *found = NULL;

    for (size_t i = 0; i < TARGET_POSTS; i++) {
        struct courier *courier = &sender->couriers[i];

        if (courier->state == COURIER_FREE && (!found || courier->batch.n_messages > 0))
            found = courier;
    }
    return found;
}

static bool sender_gather(struct sender *sender, int64_t now_ms, struct pause *pause)
{
    struct courier *courier = sender_gatherer(sender);
    int64_t at_ms = INT64_MAX;
    int result;

    if (!courier)
        return false;
    if (courier->batch.n_messages == 0)
        courier->lessons = sender->office.lessons;
    result = feed_take(&sender->feed, &courier->batch, now_ms, &at_ms);
    if (result < 0)
        burial_trouble(&sender->burial, "spool", result);
    if (result > 0)
        courier_begin(courier);
    if (pause->until_ms > at_ms)
        pause->until_ms = at_ms;
    pause->for_spool = courier->batch.n_messages == 0;
    return result != 0;
}

/* False where there is nothing to do before the pause is over. */
static bool sender_step(struct sender *sender, struct pause *pause)
{
    int64_t now_ms = clock_now_ms();
    bool busy = false;

    feed_look(&sender->feed, now_ms);
    for (size_t i = 0; i < TARGET_POSTS; i++) {
        struct courier *courier = &sender->couriers[i];

        if (!courier_work(courier, &sender->office, now_ms, &pause->until_ms))
            continue;
        busy = true;
        if (courier->state == COURIER_FREE)
            sender_finish(sender, &courier->batch);
    }
    return busy | sender_gather(sender, now_ms, pause);
}

/* For sender_view(). */
static void sender_tell_oldest(struct sender *sender)
{
    int64_t oldest_ms = feed_oldest_ms(&sender->feed);

    for (size_t i = 0; i < TARGET_POSTS; i++) {
        int64_t received_ms = sender->couriers[i].batch.received_ms;

        if (received_ms > 0 && (oldest_ms == 0 || received_ms < oldest_ms))
            oldest_ms = received_ms;
    }
    atomic_store(&sender->received_ms, oldest_ms);
}

static void sender_wait(struct sender *sender, const struct pause *pause)
{
    struct pollfd also[] = {{.fd = sender->halt.fd, .events = POLLIN},
                            {.fd = spool_fd(sender->options.reader), .events = POLLIN}};
    int64_t wait_ms = pause->until_ms - clock_now_ms();
    int64_t most_ms = pause->for_spool ? WAIT_MAX_MS : FEED_LOOK_MS;

    if (wait_ms > most_ms)
        wait_ms = most_ms;
    if (wait_ms > 0)
        target_wait(sender->office.target, also, pause->for_spool ? 2 : 1, (int)wait_ms);
}

static void *sender_run(void *self)
{
    struct sender *sender = self;

    while (!halt_called(&sender->halt)) {
        struct pause pause = {.until_ms = INT64_MAX};

        if (sender_step(sender, &pause))
            continue;
        sender_tell_oldest(sender);
        sender_wait(sender, &pause);
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

static struct loader sender_loader(struct sender *sender)
{
    const struct settings *settings = sender->options.settings;

    return (struct loader){.burial = &sender->burial,
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

static void sender_open_office(struct sender *sender)
{
    const struct settings *settings = sender->options.settings;
    struct office *office = &sender->office;
    struct deliver_options deliver = {.lines_max = settings->batch_points,
                                      .backoff_first_ms = settings->backoff_first_ms,
                                      .backoff_max_ms = settings->backoff_max_ms,
                                      .breaker_threshold = settings->breaker_threshold,
                                      .breaker_open_ms = settings->breaker_open_ms};

    sender->burial =
        (struct burial){.report = sender->report,
                        .halt = &sender->halt,
                        .target = settings->n_targets > 1 ? sender->options.target->name : NULL};
    office->settings = sender->options.target;
    office->burial = &sender->burial;
    office->feed = &sender->feed;
    office->posts = sender_counter(sender, "posts");
    office->stored = sender_counter(sender, "stored");
    deliver_init(&office->deliver, &deliver);
}

static int sender_open_feed(struct sender *sender)
{
    struct loader loader = sender_loader(sender);

    for (unsigned i = 0; i < TARGET_POSTS; i++) {
        struct courier *courier = &sender->couriers[i];

        courier->slot = i;
        courier->batch.outcome.account = sender->options.account;
        courier->batch.outcome.root = sender->options.root;
    }
    sender->done.done = spool_cursor(sender->options.reader);
    atomic_init(&sender->n_done, sender->done.done);
    return feed_open(&sender->feed, &loader, sender->options.reader,
                     sender->options.settings->batch_age_ms);
}

static int sender_load_types(struct sender *sender)
{
    int result = field_types_open(&sender->types, FIELD_TYPES_MAX);

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
        error = target_open(&sender->office.target, options->target);
    if (!error)
        error = report_open(&sender->report, options->settings, options->health, options->events);
    if (!error) {
        sender_open_office(sender);
        error = sender_open_feed(sender);
    }
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
    halt_call(&sender->halt);
    if (sender->running)
        pthread_join(sender->thread, NULL);
    target_close(sender->office.target);
    feed_close(&sender->feed);
    report_close(sender->report);
    field_types_close(sender->types);
    free(sender->types_path);
    for (size_t i = 0; i < TARGET_POSTS; i++)
        batch_free(&sender->couriers[i].batch);
    halt_close(&sender->halt);
    free(sender);
}

struct sender_view sender_view(const struct sender *sender)
{
    return (struct sender_view){.breaker = (enum breaker_state)atomic_load(&sender->office.breaker),
                                .away = atomic_load(&sender->office.away),
                                .held = atomic_load(&sender->office.held),
                                .received_ms = atomic_load(&sender->received_ms),
                                .n_done = atomic_load(&sender->n_done)};
}
