/* InfluxDB 1.x, 2.x and 3.x over HTTP: "Write data with the API" of their documentation. */
#include "target_kind.h"

#include "http.h"
#include "store_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct post {
    struct http *http;
    struct http_answer answer;
    bool begun; /* and not asked for yet */
};

struct influx {
    struct http_group *group;
    struct post posts[TARGET_POSTS];
    struct buffer url;
    struct buffer authorization; /* empty: none */
    bool gzip;
};

static void make_url(struct influx *influx, const struct target_settings *settings)
{
    struct buffer *url = &influx->url;

    switch (settings->kind) {
    case TARGET_INFLUXDB2:
        store_url_begin(url, settings, "/api/v2/write");
        store_url_parameter(url, '?', "org", settings->org);
        store_url_parameter(url, '&', "bucket", settings->bucket);
        buffer_text(url, "&precision=ms");
        break;
    case TARGET_INFLUXDB3:
        store_url_begin(url, settings, "/api/v3/write_lp");
        store_url_parameter(url, '?', "db", settings->database);
        buffer_text(url, "&precision=millisecond");
        break;
    default:
        store_url_begin(url, settings, "/write");
        store_url_parameter(url, '?', "db", settings->database);
        if (settings->retention_policy[0])
            store_url_parameter(url, '&', "rp", settings->retention_policy);
        buffer_text(url, "&precision=ms");
        break;
    }
}

static void influx_close(void *self)
{
    struct influx *influx = self;

    for (unsigned i = 0; i < TARGET_POSTS; i++) {
        http_close(influx->posts[i].http);
        buffer_free(&influx->posts[i].answer.body);
    }
    http_group_close(influx->group);
    buffer_free(&influx->url);
    buffer_free(&influx->authorization);
    free(influx);
}

static int open_connections(struct influx *influx, const struct target_settings *settings)
{
    struct http_options options = {.connect_timeout_ms = settings->connect_timeout_ms,
                                   .timeout_ms = settings->timeout_ms,
                                   .ca_file = settings->ca_file};
    int error = http_group_open(&influx->group);

    for (unsigned i = 0; !error && i < TARGET_POSTS; i++)
        error = http_open(&influx->posts[i].http, &options);
    return error;
}

static int influx_open(void **self, const struct target_settings *settings)
{
    struct influx *influx = calloc(1, sizeof(*influx));
    int error;

    if (!influx)
        return -ENOMEM;
    influx->gzip = settings->gzip;
    make_url(influx, settings);
    store_authorization(&influx->authorization, settings);
    error = influx->url.failed || influx->authorization.failed ? -ENOMEM
                                                               : open_connections(influx, settings);
    if (error) {
        influx_close(influx);
        return error;
    }
    *self = influx;
    return 0;
}

/* A store that has taken a write answers 204 and has nothing to say; with words under a 2xx it is
 * somebody else who answers, or an error. */
static bool is_silent(const struct buffer *body)
{
    const char *text = buffer_string(body);

    text += strspn(text, " \r\n\t");
    return !*text || strcmp(text, "{}") == 0;
}

static void influx_post(void *self, unsigned slot, const char *lines, size_t size)
{
    struct influx *influx = self;
    struct post *post = &influx->posts[slot];
    const char *headers[] = {"Content-Type: text/plain; charset=utf-8", NULL, NULL};
    struct http_request request = {.method = "POST",
                                   .url = buffer_string(&influx->url),
                                   .headers = headers,
                                   .body = lines,
                                   .size = size,
                                   .gzip = influx->gzip};

    if (influx->authorization.size > 0)
        headers[1] = buffer_string(&influx->authorization);
    http_begin(post->http, &request, &post->answer, influx->group);
    post->begun = true;
}

static bool influx_answered(void *self, unsigned slot, struct target_answer *answer)
{
    struct influx *influx = self;
    struct post *post = &influx->posts[slot];
    const struct buffer *body = &post->answer.body;

    if (!post->begun || http_is_under_way(post->http))
        return false;
    post->begun = false;
    if (http_result(post->http) != 0) {
        target_words(answer, post->answer.error, strlen(post->answer.error));
        return true;
    }
    answer->result.status = post->answer.status;
    answer->result.retry_after_ms = post->answer.retry_after_ms;
    answer->result.says_error = !is_silent(body);
    target_words(answer, buffer_string(body), body->size);
    return true;
}

static void influx_wait(void *self, struct pollfd *also, size_t n, int timeout_ms)
{
    struct influx *influx = self;

    for (unsigned i = 0; i < TARGET_POSTS; i++)
        if (influx->posts[i].begun && !http_is_under_way(influx->posts[i].http))
            return;
    http_group_wait(influx->group, also, n, timeout_ms);
}

const struct target_functions target_influx = {.open = influx_open,
                                               .close = influx_close,
                                               .post = influx_post,
                                               .answered = influx_answered,
                                               .wait = influx_wait};
