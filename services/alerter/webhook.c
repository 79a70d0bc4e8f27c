#include "webhook.h"

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
    struct buffer body;     /* owned; without one the worker ends */
    struct webhook_result result;
};

struct webhook {
    const struct webhook_settings *settings;
    struct loop *loop;
    webhook_fn *on_result;
    void *self;
    struct http *http;
    struct inbox *jobs;
    struct inbox *results;
    struct job *last; /* ends the worker: kept ready, since closing must not fail */
    pthread_t thread;
    bool running;
};

void webhook_judge(struct webhook_result *out, int rc, const struct http_answer *answer)
{
    int status = answer->status;

    *out = (struct webhook_result){.verdict = WEBHOOK_RETRY};
    if (rc < 0) {
        snprintf(out->error, sizeof out->error, "%s",
                 *answer->error ? answer->error : strerror(-rc));
        if (rc == -EINVAL)
            out->verdict = WEBHOOK_REFUSED;
        return;
    }
    if (status >= 200 && status < 300) {
        out->verdict = WEBHOOK_DELIVERED;
        return;
    }
    snprintf(out->error, sizeof out->error, "answer %d", status);
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        out->retry_after_ms = answer->retry_after_ms;
    else
        out->verdict = WEBHOOK_REFUSED;
}

void webhook_post(struct http *http, const struct webhook_settings *settings,
                  const struct buffer *body, struct webhook_result *out)
{
    const struct http_request request = {
        .method = "POST",
        .url = settings->url,
        .headers = (const char *const *)settings->headers,
        .body = body->data,
        .size = body->size,
    };
    struct http_answer answer = {0};
    int rc = http_send(http, &request, &answer);

    webhook_judge(out, rc, &answer);
    buffer_free(&answer.body);
}

int webhook_http(struct http **out, const struct webhook_settings *settings)
{
    const struct http_options options = {
        .connect_timeout_ms = settings->connect_timeout_ms,
        .timeout_ms = settings->timeout_ms,
        .ca_file = settings->ca_file,
    };

    return http_open(out, &options);
}

static void job_free(struct inbox_item *item)
{
    struct job *job = (struct job *)item;

    buffer_free(&job->body);
    free(job);
}

static void *webhook_run(void *self)
{
    struct webhook *webhook = self;
    struct pollfd jobs = {.fd = inbox_fd(webhook->jobs), .events = POLLIN};

    for (;;) {
        struct job *job = (struct job *)inbox_take(webhook->jobs);

        if (!job) {
            poll(&jobs, 1, -1);
            continue;
        }
        while (job) {
            struct job *next = (struct job *)job->item.next;
            bool last = !job->body.data;

            if (!last)
                webhook_post(webhook->http, webhook->settings, &job->body, &job->result);
            if (last || inbox_force(webhook->results, &job->item) < 0)
                job_free(&job->item);
            if (last)
                return NULL;
            job = next;
        }
    }
}

static void webhook_on_results(void *self, short revents)
{
    struct webhook *webhook = self;
    struct job *job = (struct job *)inbox_take(webhook->results);

    (void)revents;
    while (job) {
        struct job *next = (struct job *)job->item.next;
        struct webhook_result result = job->result;

        job_free(&job->item);
        webhook->on_result(webhook->self, &result);
        job = next;
    }
}

int webhook_open(struct webhook **out, struct loop *loop, const struct webhook_settings *settings,
                 webhook_fn *on_result, void *self)
{
    struct webhook *webhook = calloc(1, sizeof *webhook);
    int rc = -ENOMEM;

    if (!webhook)
        return -ENOMEM;
    webhook->settings = settings;
    webhook->loop = loop;
    webhook->on_result = on_result;
    webhook->self = self;
    webhook->last = calloc(1, sizeof *webhook->last);
    if (webhook->last)
        rc = webhook_http(&webhook->http, settings);
    if (rc == 0)
        rc = inbox_open(&webhook->jobs, INBOX_BYTES, job_free);
    if (rc == 0)
        rc = inbox_open(&webhook->results, INBOX_BYTES, job_free);
    if (rc == 0)
        rc = loop_watch(loop, inbox_fd(webhook->results), POLLIN, webhook_on_results, webhook);
    if (rc == 0)
        rc = -pthread_create(&webhook->thread, NULL, webhook_run, webhook);
    if (rc < 0) {
        webhook_close(webhook);
        return rc;
    }
    webhook->running = true;
    *out = webhook;
    return 0;
}

void webhook_close(struct webhook *webhook)
{
    if (!webhook)
        return;
    if (webhook->running) {
        http_abort(webhook->http);
        if (inbox_force(webhook->jobs, &webhook->last->item) == 0)
            webhook->last = NULL;
        pthread_join(webhook->thread, NULL);
    }
    if (webhook->results) {
        loop_unwatch(webhook->loop, inbox_fd(webhook->results));
        inbox_close(webhook->results);
    }
    if (webhook->jobs)
        inbox_close(webhook->jobs);
    http_close(webhook->http);
    free(webhook->last);
    free(webhook);
}

int webhook_send(struct webhook *webhook, struct buffer *body)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        return -ENOMEM;
    job->body = *body;
    *body = (struct buffer){0};
    job->item.size = sizeof *job + job->body.size;
    return inbox_force(webhook->jobs, &job->item); /* fails only once shut, which it never is */
}
