#include "stats_ask.h"

#include "http.h"
#include "stats_answer.h"
#include "store_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define STORE_ANSWER_MAX (1024 * 1024)
#define ANSWER_MAX (512 * 1024) /* below the broker's max_packet_size, which would cut us off */

struct stats_ask {
    const struct stats_settings *settings;
    struct http *http;
    struct http_answer answer;
    struct buffer query, url, authorization;
    char error[320];
};

const char *stats_outcome_name(enum stats_outcome outcome)
{
    static const char *const names[STATS_N_OUTCOMES] = {[STATS_OK] = "ok",
                                                        [STATS_BAD_REQUEST] = "bad_request",
                                                        [STATS_TOO_MUCH] = "too_much",
                                                        [STATS_BUSY] = "busy",
                                                        [STATS_TIMEOUT] = "timeout",
                                                        [STATS_STORE_AWAY] = "store_away",
                                                        [STATS_STORE_REFUSED] = "store_refused",
                                                        [STATS_STORE_FAILED] = "store_failed"};

    return names[outcome];
}

int stats_ask_open(struct stats_ask **out, const struct stats_settings *settings)
{
    struct http_options options = {.connect_timeout_ms = settings->store.connect_timeout_ms,
                                   .timeout_ms = settings->timeout_ms,
                                   .ca_file = settings->store.ca_file,
                                   .answer_max = STORE_ANSWER_MAX};
    struct stats_ask *ask = calloc(1, sizeof(*ask));
    int error;

    if (!ask)
        return -ENOMEM;
    ask->settings = settings;
    store_authorization(&ask->authorization, &settings->store);
    error = ask->authorization.failed ? -ENOMEM : http_open(&ask->http, &options);
    if (error) {
        stats_ask_close(ask);
        return error;
    }
    *out = ask;
    return 0;
}

void stats_ask_close(struct stats_ask *ask)
{
    if (!ask)
        return;
    if (ask->http)
        http_close(ask->http);
    buffer_free(&ask->answer.body);
    buffer_free(&ask->query);
    buffer_free(&ask->url);
    buffer_free(&ask->authorization);
    free(ask);
}

void stats_ask_abort(struct stats_ask *ask)
{
    http_abort(ask->http);
}

/* GET /query: InfluxDB 1.x API; in 2.x a bucket answers by the virtual mapping of its name ("Query
 * data with the InfluxDB 1.x API"), in 3.x a database. */
static int make_url(struct stats_ask *ask)
{
    const struct target_settings *store = &ask->settings->store;
    struct buffer *url = &ask->url;

    buffer_clear(url);
    store_url_begin(url, store, "/query");
    store_url_parameter(url, '?', "db", store->bucket ? store->bucket : store->database);
    if (store->retention_policy && store->retention_policy[0])
        store_url_parameter(url, '&', "rp", store->retention_policy);
    buffer_text(url, "&epoch=ms");
    store_url_parameter(url, '&', "q", buffer_string(&ask->query));
    return url->failed ? -ENOMEM : 0;
}

static enum stats_outcome judge_status(struct stats_ask *ask)
{
    int status = ask->answer.status;

    if (status / 100 == 2)
        return STATS_OK;
    snprintf(ask->error, sizeof(ask->error), "status %d: %.*s", status, 240,
             buffer_string(&ask->answer.body));
    if (status == 401 || status == 403)
        return STATS_STORE_REFUSED;
    return status == 408 || status == 429 || status >= 500 ? STATS_STORE_AWAY : STATS_STORE_FAILED;
}

static enum stats_outcome query_store(struct stats_ask *ask)
{
    const char *headers[] = {"Accept: application/json", NULL, NULL};
    struct http_request request = {.method = "GET", .headers = headers};
    int error = make_url(ask);

    request.url = buffer_string(&ask->url);
    if (ask->authorization.size > 0)
        headers[1] = buffer_string(&ask->authorization);
    if (!error)
        error = http_send(ask->http, &request, &ask->answer);
    if (!error)
        return judge_status(ask);
    snprintf(ask->error, sizeof(ask->error), "%s", ask->answer.error);
    return error == -ETIMEDOUT ? STATS_TIMEOUT
           : error == -EPROTO  ? STATS_STORE_FAILED
                               : STATS_STORE_AWAY;
}

static enum stats_outcome answer(struct stats_ask *ask, const struct stats_request *request,
                                 int64_t time_ms, struct buffer *out)
{
    enum stats_outcome outcome;

    buffer_clear(&ask->query);
    if (stats_query_build(request, time_ms, &ask->query) != 0)
        return STATS_STORE_AWAY;
    outcome = query_store(ask);
    if (outcome != STATS_OK)
        return outcome;
    if (stats_answer_convert(&ask->answer.body, request->function, out, ask->error,
                             sizeof(ask->error)) != 0)
        return STATS_STORE_FAILED;
    if (out->size <= ANSWER_MAX)
        return STATS_OK;
    snprintf(ask->error, sizeof(ask->error),
             "the answer takes %zu bytes; at most %d are sent: ask for fewer points", out->size,
             ANSWER_MAX);
    return STATS_TOO_MUCH;
}

enum stats_outcome stats_ask(struct stats_ask *ask, const void *payload, size_t size,
                             int64_t time_ms, struct buffer *out)
{
    struct stats_request request;
    enum stats_outcome outcome;
    int error;

    ask->error[0] = '\0';
    error = stats_request_decode(&request, payload, size, &ask->settings->limits, ask->error,
                                 sizeof(ask->error));
    if (error)
        outcome = error == -E2BIG ? STATS_TOO_MUCH : STATS_BAD_REQUEST;
    else
        outcome = answer(ask, &request, time_ms, out);
    if (outcome != STATS_OK) {
        buffer_clear(out);
        stats_answer_failed(stats_outcome_name(outcome), ask->error, out);
    }
    return outcome;
}
