#include "worker.h"

#include "clock.h"
#include "driver.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_BYTES (64 * 1024)
#define PAUSE_MAX_MS 10000 /* so that worker_moved_ms() tells a pause from a hang */

enum job_kind { JOB_WRITE, JOB_FEED, JOB_STOP };

struct job {
    struct inbox_item item;
    enum job_kind kind;
    struct write_order order; /* of a feed only the cell */
    struct answer *answer;    /* of both: how it will end */
};

struct worker {
    struct inbox *jobs;
    struct driver *driver; /* the thread's alone while it runs */
    struct job *last;      /* made beforehand, so that stopping needs no memory */
    bool running;
    pthread_t thread;
    atomic_bool renews; /* a flag, not a job: it cannot fail, and wakes nobody */
    _Atomic int64_t moved_ms;
};

static void free_item(struct inbox_item *item)
{
    free(((struct job *)item)->answer);
    free(item);
}

/* Returns false for the end. */
static bool do_job(struct driver *driver, struct job *job)
{
    struct answer *answer = job->answer;

    job->answer = NULL;
    switch (job->kind) {
    case JOB_WRITE:
        driver_write(driver, &job->order, answer);
        break;
    case JOB_FEED:
        driver_feed(driver, job->order.cells[0], answer);
        break;
    case JOB_STOP:
        driver_stop(driver);
        return false;
    }
    return true;
}

/* Does all that waits. Returns false where the end was among them. */
static bool serve_jobs(struct worker *worker)
{
    struct inbox_item *item = inbox_take(worker->jobs);
    bool go_on = true;

    while (item) {
        struct inbox_item *next = item->next;

        go_on = do_job(worker->driver, (struct job *)item) && go_on;
        free_item(item);
        item = next;
    }
    return go_on;
}

/* A write before a read, a read before a pause. */
static void *run(void *self)
{
    struct worker *worker = self;

    while (serve_jobs(worker)) {
        int64_t now_ms = clock_now_ms();
        int64_t wake_ms;

        if (atomic_exchange(&worker->renews, false))
            driver_renew(worker->driver);
        wake_ms = driver_step(worker->driver, now_ms);
        atomic_store_explicit(&worker->moved_ms, now_ms, memory_order_relaxed);
        if (wake_ms > now_ms)
            inbox_await(worker->jobs,
                        wake_ms < now_ms + PAUSE_MAX_MS ? wake_ms : now_ms + PAUSE_MAX_MS);
    }
    return NULL;
}

int worker_open(struct worker **out, const struct driver_options *options)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int rc = -ENOMEM;

    if (!worker)
        return -ENOMEM;
    worker->moved_ms = clock_now_ms();
    worker->last = calloc(1, sizeof *worker->last);
    if (worker->last)
        rc = inbox_open_awaited(&worker->jobs, JOBS_BYTES, free_item);
    if (rc == 0)
        rc = driver_open(&worker->driver, options);
    if (rc == 0)
        rc = -pthread_create(&worker->thread, NULL, run, worker);
    worker->running = rc == 0;
    if (rc != 0) {
        worker_close(worker);
        return rc;
    }
    *out = worker;
    return 0;
}

void worker_stop(struct worker *worker)
{
    struct job *last = worker->last;

    if (!last)
        return;
    worker->last = NULL;
    last->kind = JOB_STOP;
    last->item.size = sizeof *last;
    inbox_force(worker->jobs, &last->item);
}

void worker_close(struct worker *worker)
{
    if (!worker)
        return;
    if (worker->running) {
        worker_stop(worker);
        pthread_join(worker->thread, NULL);
    }
    free(worker->last);
    driver_close(worker->driver);
    inbox_close(worker->jobs);
    free(worker);
}

/* Takes the answer over. */
static int queue(struct worker *worker, enum job_kind kind, const struct write_order *order,
                 struct answer *answer)
{
    struct job *job = malloc(sizeof *job);
    int rc = -ENOMEM;

    if (job && answer) {
        *job = (struct job){.item.size = sizeof *job, .kind = kind, .order = *order};
        job->answer = answer;
        rc = inbox_try_put(worker->jobs, &job->item);
    }
    if (rc != 0) {
        free(answer);
        free(job);
    }
    return rc;
}

int worker_write(struct worker *worker, const struct write_order *order)
{
    return queue(worker, JOB_WRITE, order,
                 answer_new_write(ANSWER_WRITE, order->unit, order->actuator));
}

int worker_feed(struct worker *worker, size_t unit, uint16_t cell)
{
    const struct write_order order = {.unit = unit, .cells = {cell}};

    return queue(worker, JOB_FEED, &order, answer_new_write(ANSWER_FEED, unit, 0));
}

void worker_renew(struct worker *worker)
{
    atomic_store(&worker->renews, true);
}

int64_t worker_moved_ms(const struct worker *worker)
{
    return atomic_load_explicit(&worker->moved_ms, memory_order_relaxed);
}
