#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_LEVEL                                                                  \
    1 /* 7 times smaller for 0.3 µs a line; higher levels cost more than they save \
       */
#define GZIP_WINDOW (15 + 16) /* zlib.h, deflateInit2(): 16 asks for the gzip wrapper */
#define GZIP_MEMORY 8

struct http {
    CURL *curl;
    atomic_bool aborted;
    char error[CURL_ERROR_SIZE];
    size_t answer_max;
    struct buffer *body; /* of the answer that is coming in */
    z_stream deflate;
    bool deflate_ready;
    struct buffer packed;
};

static size_t http_on_body(char *data, size_t one, size_t size, void *self)
{
    struct http *http = self;
    struct buffer *body = http->body;

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
    code |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_on_body);
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
    curl_easy_cleanup(http->curl);
    if (http->deflate_ready)
        deflateEnd(&http->deflate);
    buffer_free(&http->packed);
    free(http);
}

void http_abort(struct http *http)
{
    atomic_store(&http->aborted, true);
}

/* The state of 256 KiB is kept from one body to the next. */
static int http_compress(struct http *http, const void *body, size_t size)
{
    z_stream *stream = &http->deflate;
    char chunk[16 * 1024];
    int code;

    code = http->deflate_ready ? deflateReset(stream)
                               : deflateInit2(stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW,
                                              GZIP_MEMORY, Z_DEFAULT_STRATEGY);
    if (code != Z_OK)
        return -ENOMEM;
    http->deflate_ready = true;
    buffer_clear(&http->packed);
    stream->next_in = (Bytef *)(uintptr_t)body;
    stream->avail_in = (uInt)size;
    do {
        stream->next_out = (Bytef *)chunk;
        stream->avail_out = sizeof(chunk);
        code = deflate(stream, Z_FINISH);
        buffer_append(&http->packed, chunk, sizeof(chunk) - stream->avail_out);
    } while (code == Z_OK || code == Z_BUF_ERROR);
    return code == Z_STREAM_END && !http->packed.failed ? 0 : -ENOMEM;
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
        int error = http_compress(http, body, size);

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

static void http_explain(const struct http *http, CURLcode code, struct http_answer *answer)
{
    if (code == CURLE_WRITE_ERROR)
        snprintf(answer->error, sizeof(answer->error), "the answer is longer than %zu bytes",
                 http->answer_max);
    else
        snprintf(answer->error, sizeof(answer->error), "%s",
                 http->error[0] ? http->error : curl_easy_strerror(code));
}

static CURLcode http_perform(struct http *http, struct http_answer *answer)
{
    long status = 0;
    long sent = 0;
    curl_off_t retry_after_s = 0;
    CURLcode code;

    http->error[0] = '\0';
    code = curl_easy_perform(http->curl);
    curl_easy_getinfo(http->curl, CURLINFO_REQUEST_SIZE, &sent);
    if (code == CURLE_UNSUPPORTED_PROTOCOL && sent > 0)
        return CURLE_WEIRD_SERVER_REPLY; /* what came back was no HTTP; the URL is not to blame */
    if (code != CURLE_OK)
        return code;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    answer->status = (int)status;
    if (retry_after_s > HTTP_RETRY_AFTER_MAX_MS / 1000)
        answer->retry_after_ms = HTTP_RETRY_AFTER_MAX_MS;
    else if (retry_after_s > 0)
        answer->retry_after_ms = retry_after_s * 1000;
    return CURLE_OK;
}

int http_send(struct http *http, const struct http_request *request, struct http_answer *answer)
{
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    int error;

    answer->status = 0;
    answer->retry_after_ms = 0;
    answer->error[0] = '\0';
    buffer_clear(&answer->body);
    error = http_make_headers(request, &headers);
    if (!error)
        error = http_set_body(http, request);
    if (!error) {
        curl_easy_setopt(http->curl, CURLOPT_URL, request->url);
        curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, request->method);
        curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
        http->body = &answer->body;
        curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, http);
        code = http_perform(http, answer);
        error = http_errno(code);
    }
    if (error)
        http_explain(http, code, answer);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return error;
}
