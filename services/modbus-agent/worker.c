#include "worker.h"

#include "clock.h"
#include "driver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOBS_BYTES (64 * 1024)
#define ANSWERS_BYTES (1024 * 1024)
#define NS_PER_MS 1000000
#define PAUSE_MAX_MS 10000 /* so that worker_moved_ms() tells a pause from a hang */

enum job_kind { JOB_WRITE, JOB_FEED, JOB_STOP };

struct job {
    struct inbox_item item;
    enum job_kind kind;
    size_t unit;
    size_t actuator;
    uint16_t cells[OUTPUT_CELLS_MAX];
};

struct worker {
    struct inbox *jobs;
    struct inbox *answers;
    struct driver *driver; /* the thread's alone while it runs */
    struct job *last;      /* made beforehand, so that stopping needs no memory */
    bool running;
    bool woken; /* by a job; the thread's alone */
    pthread_t thread;
    _Atomic int64_t moved_ms;
};

static void free_item(struct inbox_item *item)
{
    free(item);
}

/* Waits for jobs until `wake_ms`, to less than a millisecond. */
static void await_jobs(struct worker *worker, int64_t wake_ms)
{
    struct pollfd jobs = {.fd = inbox_fd(worker->jobs), .events = POLLIN};
    struct timespec now;
    struct timespec wait = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left_ns = (wake_ms - (int64_t)now.tv_sec * 1000) * NS_PER_MS - now.tv_nsec;
    if (left_ns > 0)
        wait = (struct timespec){left_ns / (1000 * (int64_t)NS_PER_MS),
                                 left_ns % (1000 * (int64_t)NS_PER_MS)};
    worker->woken = ppoll(&jobs, 1, &wait, NULL) > 0;
}

static void do_job(struct driver *driver, const struct job *job)
{
    if (job->kind == JOB_FEED)
        driver_feed(driver, job->unit, job->cells[0]);
    else
        driver_write(driver, job->unit, job->actuator, job->cells);
}

/* Does all writes that wait. Returns false where the end was among them. */
static bool serve_jobs(struct worker *worker)
{
    /* Between two requests there is most often nothing: to see that needs no system call. */
    bool any = worker->woken || inbox_size(worker->jobs) > 0;
    struct inbox_item *item = any ? inbox_take(worker->jobs) : NULL;
    bool go_on = true;

    worker->woken = false;

    while (item) {
        struct inbox_item *next = item->next;
        struct job *job = (struct job *)item;

        if (job->kind == JOB_STOP)
            go_on = false;
        else if (go_on)
            do_job(worker->driver, job);
        free(job);
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
        int64_t wake_ms = driver_step(worker->driver, now_ms);

        atomic_store_explicit(&worker->moved_ms, now_ms, memory_order_relaxed);
        if (wake_ms > now_ms)
            await_jobs(worker, wake_ms < now_ms + PAUSE_MAX_MS ? wake_ms : now_ms + PAUSE_MAX_MS);
    }
    return NULL;
}

int worker_open(struct worker **out, const struct bus_settings *settings, const struct holes *known,
                struct health *health)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int rc = -ENOMEM;

    if (!worker)
        return -ENOMEM;
    worker->moved_ms = clock_now_ms();
    worker->last = calloc(1, sizeof *worker->last);
    if (worker->last)
        rc = inbox_open(&worker->jobs, JOBS_BYTES, free_item);
    if (rc == 0)
        rc = inbox_open(&worker->answers, ANSWERS_BYTES, free_item);
    if (rc == 0)
        rc = driver_open(&worker->driver, settings, known, health, worker->answers);
    if (rc == 0)
        rc = -pthread_create(&worker->thread, NULL, run, worker);
    if (rc != 0) {
        worker_close(worker);
        return rc;
    }
    worker->running = true;
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
    inbox_close(worker->answers);
    inbox_close(worker->jobs);
    free(worker);
}

/* Takes a copy of the job. */
static int queue(struct worker *worker, const struct job *from)
{
    struct job *job = malloc(sizeof *job);
    int rc;

    if (!job)
        return -ENOMEM;
    *job = *from;
    job->item.size = sizeof *job;
    rc = inbox_try_put(worker->jobs, &job->item);
    if (rc != 0)
        free(job);
    return rc;
}

int worker_write(struct worker *worker, size_t unit, size_t actuator,
                 const uint16_t cells[OUTPUT_CELLS_MAX])
{
    struct job job = {.kind = JOB_WRITE, .unit = unit, .actuator = actuator};

    memcpy(job.cells, cells, sizeof job.cells);
    return queue(worker, &job);
}

int worker_feed(struct worker *worker, size_t unit, uint16_t cell)
{
    return queue(worker, &(struct job){.kind = JOB_FEED, .unit = unit, .cells = {cell}});
}

int64_t worker_moved_ms(const struct worker *worker)
{
    return atomic_load_explicit(&worker->moved_ms, memory_order_relaxed);
}

int worker_fd(const struct worker *worker)
{
    return inbox_fd(worker->answers);
}

struct answer *worker_take(struct worker *worker)
{
    return (struct answer *)inbox_take(worker->answers);
}
