#include "http.h"

#include "http_gzip.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http {
    CURL *curl;
    atomic_bool aborted;
    char error[CURL_ERROR_SIZE];
    size_t answer_max;
    struct http_answer *answer; /* that is coming in */
    struct http_gzip *gzip;     /* NULL until it is needed */
    struct buffer packed;
    struct curl_slist *headers; /* of the request under way */
    struct http_group *group;   /* in which it is under way; NULL: in none */
    int result;                 /* of the last one */
};

struct http_group {
    CURLM *multi;
};

static size_t http_on_body(char *data, size_t one, size_t size, void *self)
{
    struct http *http = self;
    struct buffer *body = &http->answer->body;

    (void)one;
    if (body->size + size > http->answer_max)
        return 0; /* makes the library end the request */
    buffer_append(body, data, size);
    return body->failed ? 0 : size;
}

static int http_on_progress(void *self, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                            curl_off_t up)
{
    struct http *http = self;

    (void)down_total, (void)down, (void)up_total, (void)up;
    return atomic_load(&http->aborted); /* other than 0 ends the request */
}

static bool http_set_up(struct http *http, const struct http_options *options)
{
    CURL *curl = http->curl;
    CURLcode code = CURLE_OK;

    code |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* several threads resolve names */
    code |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    code |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    code |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    code |= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    code |= curl_easy_setopt(curl, CURLOPT_USERAGENT, "fieldline/" FIELDLINE_VERSION);
    code |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    code |= curl_easy_setopt(curl, CURLOPT_PRIVATE, http);
    code |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_on_body);
    code |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    code |= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, http_on_progress);
    code |= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    code |= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (options->ca_file)
        code |= curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
    return code == CURLE_OK;
}

int http_open(struct http **out, const struct http_options *options)
{
    struct http *http = calloc(1, sizeof(*http));

    if (!http)
        return -ENOMEM;
    http->curl = curl_easy_init();
    if (!http->curl) {
        free(http);
        return -ENOMEM;
    }
    http->answer_max = options->answer_max ? options->answer_max : HTTP_ANSWER_MAX;
    if (!http_set_up(http, options)) {
        http_close(http);
        return -EIO;
    }
    *out = http;
    return 0;
}

void http_close(struct http *http)
{
    if (!http)
        return;
    if (http->group)
        curl_multi_remove_handle(http->group->multi, http->curl);
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    http_gzip_close(http->gzip);
    buffer_free(&http->packed);
    free(http);
}

void http_abort(struct http *http)
{
    atomic_store(&http->aborted, true);
}

static bool http_add_header(struct curl_slist **headers, const char *text)
{
    struct curl_slist *more = curl_slist_append(*headers, text);

    if (more)
        *headers = more;
    return more != NULL;
}

static int http_make_headers(const struct http_request *request, struct curl_slist **out)
{
    /* Waiting for "100 Continue" costs a round trip, and a second where the server does not know
     * it. */
    bool ok = http_add_header(out, "Expect:");

    for (size_t i = 0; ok && request->headers && request->headers[i]; i++)
        ok = http_add_header(out, request->headers[i]);
    if (ok && request->gzip)
        ok = http_add_header(out, "Content-Encoding: gzip");
    return ok ? 0 : -ENOMEM;
}

static int http_set_body(struct http *http, const struct http_request *request)
{
    const void *body = request->body;
    size_t size = request->size;

    if (!body && strcmp(request->method, "POST") != 0) {
        curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
        return 0;
    }
    if (request->gzip) {
        int error = http->gzip ? 0 : http_gzip_open(&http->gzip);

        if (!error)
            error = http_gzip_pack(http->gzip, body, size, &http->packed);
        if (error)
            return error;
        body = http->packed.data;
        size = http->packed.size;
    }
    curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body ? body : "");
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    return 0;
}

static int http_errno(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -ECONNREFUSED;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return -EINVAL;
    case CURLE_WRITE_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return -EPROTO;
    case CURLE_ABORTED_BY_CALLBACK:
        return -ECANCELED;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static void http_explain(const struct http *http, CURLcode code)
{
    struct http_answer *answer = http->answer;

    if (code == CURLE_WRITE_ERROR)
        snprintf(answer->error, sizeof(answer->error), "the answer is longer than %zu bytes",
                 http->answer_max);
    else
        snprintf(answer->error, sizeof(answer->error), "%s",
                 http->error[0] ? http->error : curl_easy_strerror(code));
}

static void http_take_head(const struct http *http)
{
    struct http_answer *answer = http->answer;
    curl_off_t retry_after_s = 0;
    long status = 0;

    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    answer->status = (int)status;
    if (retry_after_s > HTTP_RETRY_AFTER_MAX_MS / 1000)
        answer->retry_after_ms = HTTP_RETRY_AFTER_MAX_MS;
    else if (retry_after_s > 0)
        answer->retry_after_ms = retry_after_s * 1000;
}

/* Sets the request up. Returns 0 or -ENOMEM. */
static int http_prepare(struct http *http, const struct http_request *request,
                        struct http_answer *answer)
{
    int error;

    http->answer = answer;
    http->error[0] = '\0';
    answer->status = 0;
    answer->retry_after_ms = 0;
    answer->error[0] = '\0';
    buffer_clear(&answer->body);
    error = http_make_headers(request, &http->headers);
    if (!error)
        error = http_set_body(http, request);
    curl_easy_setopt(http->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
    return error;
}

/* What came of it, for the caller. */
static void http_finish(struct http *http, CURLcode code)
{
    long sent = 0;

    curl_easy_getinfo(http->curl, CURLINFO_REQUEST_SIZE, &sent);
    if (code == CURLE_UNSUPPORTED_PROTOCOL && sent > 0)
        code = CURLE_WEIRD_SERVER_REPLY; /* what came back was no HTTP; the URL is not to blame */
    if (code == CURLE_OK)
        http_take_head(http);
    else
        http_explain(http, code);
    http->result = http_errno(code);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(http->headers);
    http->headers = NULL;
}

int http_send(struct http *http, const struct http_request *request, struct http_answer *answer)
{
    bool ready = http_prepare(http, request, answer) == 0;

    http_finish(http, ready ? curl_easy_perform(http->curl) : CURLE_OUT_OF_MEMORY);
    return http->result;
}

int http_group_open(struct http_group **out)
{
    struct http_group *group = calloc(1, sizeof(*group));

    if (!group)
        return -ENOMEM;
    group->multi = curl_multi_init();
    if (!group->multi) {
        free(group);
        return -ENOMEM;
    }
    *out = group;
    return 0;
}

void http_group_close(struct http_group *group)
{
    if (!group)
        return;
    curl_multi_cleanup(group->multi);
    free(group);
}

void http_begin(struct http *http, const struct http_request *request, struct http_answer *answer,
                struct http_group *group)
{
    int running;

    if (http_prepare(http, request, answer) != 0 ||
        curl_multi_add_handle(group->multi, http->curl) != CURLM_OK) {
        http_finish(http, CURLE_OUT_OF_MEMORY);
        return;
    }
    http->group = group;
    curl_multi_perform(group->multi, &running);
}

bool http_is_under_way(const struct http *http)
{
    return http->group;
}

int http_result(const struct http *http)
{
    return http->result;
}

/* True where one ended. */
static bool http_group_collect(struct http_group *group)
{
    bool any = false;
    CURLMsg *message;
    int n;

    while ((message = curl_multi_info_read(group->multi, &n))) {
        CURLcode code = message->data.result; /* the message goes with the handle */
        CURL *curl = message->easy_handle;
        struct http *http;

        curl_easy_getinfo(curl, CURLINFO_PRIVATE, &http);
        curl_multi_remove_handle(group->multi, curl);
        http->group = NULL;
        http_finish(http, code);
        any = true;
    }
    return any;
}

void http_group_wait(struct http_group *group, const struct pollfd *also, size_t n, int timeout_ms)
{
    struct curl_waitfd fds[HTTP_ALSO_MAX];
    int running;

    for (size_t i = 0; i < n && i < HTTP_ALSO_MAX; i++)
        fds[i] = (struct curl_waitfd){.fd = also[i].fd, .events = CURL_WAIT_POLLIN};
    curl_multi_perform(group->multi, &running);
    if (http_group_collect(group))
        return;
    curl_multi_poll(group->multi, fds, (unsigned)n, timeout_ms, NULL);
    curl_multi_perform(group->multi, &running);
    http_group_collect(group);
}
