#include "worker.h"

#include "inbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INBOX_BYTES (64 * 1024) /* one at a time is all that ever waits */

struct job {
    struct inbox_item item; /* first */
    bool last;              /* ends the worker */
    struct parcel parcel;   /* owned */
    struct carrier_result result;
};

struct worker {
    const struct carrier_kind *kind;
    void *carrier;
    struct loop *loop;
    worker_fn *on_result;
    void *self;
    struct inbox *jobs;
    struct inbox *results;
    struct job *last; /* ends the worker: kept ready, since closing must not fail */
    pthread_t thread;
    bool running;
};

static void job_free(struct inbox_item *item)
{
    struct job *job = (struct job *)item;

    parcel_free(&job->parcel);
    free(job);
}

static void *worker_run(void *self)
{
    struct worker *worker = self;
    struct pollfd jobs = {.fd = inbox_fd(worker->jobs), .events = POLLIN};

    for (;;) {
        struct job *job = (struct job *)inbox_take(worker->jobs);

        if (!job) {
            poll(&jobs, 1, -1);
            continue;
        }
        while (job) {
            struct job *next = (struct job *)job->item.next;
            bool last = job->last;

            if (!last)
                worker->kind->carry(worker->carrier, &job->parcel, &job->result);
            if (last || inbox_force(worker->results, &job->item) < 0)
                job_free(&job->item);
            if (last)
                return NULL;
            job = next;
        }
    }
}

static void worker_on_results(void *self, short revents)
{
    struct worker *worker = self;
    struct job *job = (struct job *)inbox_take(worker->results);

    (void)revents;
    while (job) {
        struct job *next = (struct job *)job->item.next;
        struct carrier_result result = job->result;

        job_free(&job->item);
        worker->on_result(worker->self, &result);
        job = next;
    }
}

int worker_open(struct worker **out, struct loop *loop, const struct channel_settings *settings,
                worker_fn *on_result, void *self)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int rc = -ENOMEM;

    if (!worker)
        return -ENOMEM;
    worker->kind = carrier_kind(settings->type);
    worker->loop = loop;
    worker->on_result = on_result;
    worker->self = self;
    worker->last = calloc(1, sizeof *worker->last);
    if (worker->last) {
        worker->last->last = true;
        rc = worker->kind->open(&worker->carrier, settings);
    }
    if (rc == 0)
        rc = inbox_open(&worker->jobs, INBOX_BYTES, job_free);
    if (rc == 0)
        rc = inbox_open(&worker->results, INBOX_BYTES, job_free);
    if (rc == 0)
        rc = loop_watch(loop, inbox_fd(worker->results), POLLIN, worker_on_results, worker);
    if (rc == 0)
        rc = -pthread_create(&worker->thread, NULL, worker_run, worker);
    if (rc < 0) {
        worker_close(worker);
        return rc;
    }
    worker->running = true;
    *out = worker;
    return 0;
}

void worker_close(struct worker *worker)
{
    if (!worker)
        return;
    if (worker->running) {
        worker->kind->abort(worker->carrier);
        if (inbox_force(worker->jobs, &worker->last->item) == 0)
            worker->last = NULL;
        pthread_join(worker->thread, NULL);
    }
    if (worker->results) {
        loop_unwatch(worker->loop, inbox_fd(worker->results));
        inbox_close(worker->results);
    }
    if (worker->jobs)
        inbox_close(worker->jobs);
    worker->kind->close(worker->carrier);
    free(worker->last);
    free(worker);
}

static size_t parcel_size(const struct parcel *parcel)
{
    return parcel->headers.size + parcel->body.size + parcel->html.size;
}

int worker_send(struct worker *worker, struct parcel *parcel)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        return -ENOMEM;
    job->parcel = *parcel;
    *parcel = (struct parcel){0};
    job->item.size = sizeof *job + parcel_size(&job->parcel);
    return inbox_force(worker->jobs, &job->item); /* fails only once shut, which it never is */
}
