#include "stats.h"

#include "clock.h"
#include "inbox.h"
#include "log.h"
#include "stats_answer.h"
#include "stats_ask.h"
#include "topic.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 4096         /* bytes; what is longer is no question */
#define INBOX_BYTES (256 * 1024) /* refusals on their way out: beyond it they are only counted */
#define LOG_EVERY_MS 10000

/* A question, and then its answer. */
struct job {
    struct inbox_item item; /* first */
    int64_t arrived_ms;
    enum stats_outcome outcome;
    bool counted; /* among those that wait */
    bool last;    /* ends the worker */
    struct buffer answer;
    const char *topic; /* as the next two into `bytes` */
    const char *correlation;
    const char *request;
    size_t correlation_size, request_size;
    char bytes[];
};

enum { RECEIVED, RETAINED, NOWHERE, RESPONSE_TOPIC, UNANSWERED, N_COUNTS };

struct stats {
    struct stats_options options;
    char topic[TOPIC_SIZE];
    char root[TOPIC_SIZE];
    struct stats_ask *ask;
    struct inbox *jobs, *results;
    struct job *last; /* kept ready, since closing must not fail */
    atomic_int waiting;
    pthread_t thread;
    bool running;
    struct log_limit limit;
    health_counter *counts[N_COUNTS], *outcomes[STATS_N_OUTCOMES];
};

static void job_free(struct inbox_item *item)
{
    struct job *job = (struct job *)item;

    buffer_free(&job->answer);
    free(job);
}

static char *put(char **at, const void *bytes, size_t size)
{
    char *start = *at;

    if (size > 0)
        memcpy(start, bytes, size);
    start[size] = '\0';
    *at += size + 1;
    return start;
}

static struct job *job_new(const struct mqtt_message *message)
{
    size_t topic_length = strlen(message->response_topic);
    size_t room = topic_length + message->correlation_size + message->size + 3;
    struct job *job = calloc(1, sizeof(*job) + room);
    char *at;

    if (!job)
        return NULL;
    at = job->bytes;
    job->topic = put(&at, message->response_topic, topic_length);
    job->correlation = put(&at, message->correlation, message->correlation_size);
    job->request = put(&at, message->payload, message->size);
    job->correlation_size = message->correlation_size;
    job->request_size = message->size;
    job->item.size = sizeof(*job) + room;
    job->arrived_ms = clock_now_ms();
    return job;
}

static void fail(struct job *job, enum stats_outcome outcome, const char *message)
{
    job->outcome = outcome;
    stats_answer_failed(stats_outcome_name(outcome), message, &job->answer);
}

static void count(struct stats *stats, int which)
{
    health_raise(stats->counts[which], 1);
}

/* To the loop, which answers. */
static void hand_back(struct stats *stats, struct job *job)
{
    int error = job->counted ? inbox_force(stats->results, &job->item)
                             : inbox_try_put(stats->results, &job->item);

    if (error) {
        count(stats, UNANSWERED);
        job_free(&job->item);
    }
}

static void take(struct stats *stats, struct job *job)
{
    if (job->request_size > REQUEST_MAX) {
        fail(job, STATS_BAD_REQUEST, "the request is too long");
    } else if (atomic_fetch_add(&stats->waiting, 1) >= stats->options.settings->waiting_max) {
        atomic_fetch_sub(&stats->waiting, 1);
        fail(job, STATS_BUSY, "too many questions at once; ask again later");
    } else {
        job->counted = true;
        if (inbox_force(stats->jobs, &job->item) != 0)
            job_free(&job->item);
        return;
    }
    hand_back(stats, job);
}

/* Why a question is not answered at all; -1 where it is. */
static int silence(const struct stats *stats, const struct mqtt_message *message)
{
    if (message->retained)
        return RETAINED;
    if (!message->response_topic)
        return NOWHERE;
    return topic_is_reply(stats->root, message->response_topic) ? -1 : RESPONSE_TOPIC;
}

bool stats_on_message(struct stats *stats, const struct mqtt_message *message)
{
    struct job *job;
    int why;

    if (strcmp(message->topic, stats->topic) != 0)
        return false;
    count(stats, RECEIVED);
    why = silence(stats, message);
    job = why < 0 ? job_new(message) : NULL;
    if (job)
        take(stats, job);
    else
        count(stats, why < 0 ? UNANSWERED : why);
    return true;
}

static void work(struct stats *stats, struct job *job)
{
    if (clock_now_ms() - job->arrived_ms > stats->options.settings->timeout_ms)
        fail(job, STATS_TIMEOUT, "too many questions were before it");
    else
        job->outcome =
            stats_ask(stats->ask, job->request, job->request_size, clock_time_ms(), &job->answer);
    hand_back(stats, job);
}

static void *stats_run(void *self)
{
    struct stats *stats = self;
    struct pollfd ready = {.fd = inbox_fd(stats->jobs), .events = POLLIN};

    for (;;) {
        struct job *job = (struct job *)inbox_take(stats->jobs);

        if (!job)
            poll(&ready, 1, -1);
        while (job) {
            struct job *next = (struct job *)job->item.next;

            if (job->last) { /* put last: nothing follows it */
                job_free(&job->item);
                return NULL;
            }
            work(stats, job);
            job = next;
        }
    }
}

static void publish(struct stats *stats, const struct job *job)
{
    struct mqtt_message message = {.topic = job->topic,
                                   .payload = job->answer.data,
                                   .size = job->answer.size,
                                   .qos = 1,
                                   .correlation = job->correlation,
                                   .correlation_size = job->correlation_size};

    health_raise(stats->outcomes[job->outcome], 1);
    if (job->answer.failed || mqtt_publish(stats->options.mqtt, &message) != 0)
        count(stats, UNANSWERED);
    if (job->outcome != STATS_OK && log_allowed(&stats->limit, clock_now_ms()))
        log_warning("query_failed", "answer=%.300s more_before=%llu", buffer_string(&job->answer),
                    (unsigned long long)stats->limit.suppressed);
}

static void on_results(void *self, short revents)
{
    struct stats *stats = self;
    struct job *job = (struct job *)inbox_take(stats->results);

    (void)revents;
    while (job) {
        struct job *next = (struct job *)job->item.next;

        publish(stats, job);
        if (job->counted)
            atomic_fetch_sub(&stats->waiting, 1);
        job_free(&job->item);
        job = next;
    }
}

static void make_counters(struct stats *stats)
{
    static const char *const names[N_COUNTS] = {"queries.received", "queries.retained",
                                                "queries.without_response_topic",
                                                "queries.bad_response_topic", "queries.unanswered"};
    char name[64];

    for (int i = 0; i < N_COUNTS; i++)
        stats->counts[i] = health_count(stats->options.health, names[i]);
    for (int i = 0; i < STATS_N_OUTCOMES; i++) {
        snprintf(name, sizeof(name), "queries.%s", stats_outcome_name((enum stats_outcome)i));
        stats->outcomes[i] = health_count(stats->options.health, name);
    }
}

static int set_up(struct stats *stats)
{
    const char *root = mqtt_root(stats->options.mqtt);
    int error = topic_make(stats->topic, root, TOPIC_QUERY, NULL, NULL, "stats");

    snprintf(stats->root, sizeof(stats->root), "%s", root);
    stats->last = calloc(1, sizeof(*stats->last) + 1);
    if (!error && !stats->last)
        error = -ENOMEM;
    if (!error)
        error = stats_ask_open(&stats->ask, stats->options.settings);
    if (!error)
        error = inbox_open(&stats->jobs, INBOX_BYTES, job_free);
    if (!error)
        error = inbox_open(&stats->results, INBOX_BYTES, job_free);
    if (!error)
        error =
            loop_watch(stats->options.loop, inbox_fd(stats->results), POLLIN, on_results, stats);
    if (!error)
        error = -pthread_create(&stats->thread, NULL, stats_run, stats);
    stats->running = !error;
    return error;
}

int stats_open(struct stats **out, const struct stats_options *options)
{
    struct stats *stats = calloc(1, sizeof(*stats));
    int error;

    if (!stats)
        return -ENOMEM;
    stats->options = *options;
    stats->limit.every_ms = LOG_EVERY_MS;
    make_counters(stats);
    error = set_up(stats);
    if (error) {
        stats_close(stats);
        return error;
    }
    *out = stats;
    return 0;
}

void stats_close(struct stats *stats)
{
    if (!stats)
        return;
    if (stats->running) {
        stats_ask_abort(stats->ask);
        stats->last->last = true;
        if (inbox_force(stats->jobs, &stats->last->item) == 0)
            stats->last = NULL;
        pthread_join(stats->thread, NULL);
    }
    if (stats->results) {
        on_results(stats, 0);
        loop_unwatch(stats->options.loop, inbox_fd(stats->results));
        inbox_close(stats->results);
    }
    if (stats->jobs)
        inbox_close(stats->jobs);
    stats_ask_close(stats->ask);
    free(stats->last);
    free(stats);
}
