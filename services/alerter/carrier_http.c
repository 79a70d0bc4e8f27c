#include "carrier_http.h"

#include "channel_text.h"
#include "jsonr.h"
#include "signature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE (SIGNATURE_SIZE + 128)
#define ANSWER_MAX (1024 * 1024) /* bytes; some servers echo what they got */
#define REASON_MAX 120           /* bytes of it that are told */

struct carrier {
    const struct channel_settings *settings;
    struct http *http;
    const char **headers; /* owned array: those of the settings, one more for the signature */
    size_t n_headers;
    char signature[HEADER_SIZE];
};

/* Telegram says it in the answer's body (Bot API, "ResponseParameters"), not in a header. */
static int64_t told_in_body(const struct http_answer *answer)
{
    char error[128];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof error}, parameters = in;
    int64_t seconds = 0;

    if (jsonr_parse_object(&in, buffer_string(&answer->body), answer->body.size) < 0)
        return 0;
    if (jsonr_object(&in, "parameters", JSONR_REQUIRED, &parameters.object) == 0)
        (void)jsonr_integer(&parameters, "retry_after", JSONR_OPTIONAL, &seconds);
    jsonr_free(in.object);
    if (seconds > HTTP_RETRY_AFTER_MAX_MS / 1000)
        return HTTP_RETRY_AFTER_MAX_MS;
    return seconds > 0 ? seconds * 1000 : 0;
}

void carrier_http_judge(struct carrier_result *out, int rc, const struct http_answer *answer)
{
    int status = answer->status;

    *out = (struct carrier_result){.verdict = CARRIER_RETRY};
    if (rc < 0) {
        snprintf(out->error, sizeof out->error, "%s",
                 *answer->error ? answer->error : strerror(-rc));
        if (rc == -EINVAL)
            out->verdict = CARRIER_REFUSED;
        return;
    }
    if (status >= 200 && status < 300) {
        out->verdict = CARRIER_DELIVERED;
        return;
    }
    snprintf(out->error, sizeof out->error, "answer %d", status);
    if (status != 408 && status != 425 && status != 429 && status < 500) {
        out->verdict = CARRIER_REFUSED;
        return;
    }
    out->retry_after_ms = answer->retry_after_ms;
    if (status == 429 && !out->retry_after_ms)
        out->retry_after_ms = told_in_body(answer);
}

/* What a proxy may repeat of the request. */
static bool tells_secret(const struct channel_settings *settings, const char *said)
{
    const char *host = strstr(settings->http.url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;

    if (path && path[1] && strstr(said, path))
        return true;
    for (char **header = settings->http.headers; header && *header; header++) {
        const char *value = strchr(*header, ':');

        if (value && strstr(said, value + 2))
            return true;
    }
    return false;
}

/* Adds the beginning of what a service gave as a reason, in what may stand in any log. A webhook of
 * anybody's may answer anything: its words are not repeated. */
static void add_reason(struct carrier_result *out, const struct channel_settings *settings,
                       const struct http_answer *answer)
{
    const char *said = buffer_string(&answer->body);
    size_t at = strlen(out->error), end = at + 2 + REASON_MAX;

    if (settings->type == CHANNEL_WEBHOOK || !*said || tells_secret(settings, said))
        return;
    out->error[at++] = ':';
    out->error[at++] = ' ';
    for (; *said && at < end; said++)
        out->error[at++] = *said < 0x20 || *said > 0x7e ? ' ' : *said == '"' ? '\'' : *said;
    out->error[at] = '\0';
}

static int pack(const struct channel_settings *settings, const struct notification *notification,
                struct parcel *out)
{
    return channel_body(settings, notification, &out->body);
}

static void carrier_close(void *self)
{
    struct carrier *carrier = self;

    if (!carrier)
        return;
    http_close(carrier->http);
    free(carrier->headers);
    free(carrier);
}

static int carrier_open(void **out, const struct channel_settings *settings)
{
    const struct http_options options = {.connect_timeout_ms = settings->connect_timeout_ms,
                                         .timeout_ms = settings->timeout_ms,
                                         .ca_file = settings->http.ca_file,
                                         .answer_max = ANSWER_MAX};
    struct carrier *carrier = calloc(1, sizeof *carrier);
    int rc = -ENOMEM;

    if (!carrier)
        return -ENOMEM;
    carrier->settings = settings;
    while (settings->http.headers && settings->http.headers[carrier->n_headers])
        carrier->n_headers++;
    carrier->headers = calloc(carrier->n_headers + 2, sizeof *carrier->headers);
    for (size_t i = 0; carrier->headers && i < carrier->n_headers; i++)
        carrier->headers[i] = settings->http.headers[i];
    if (carrier->headers)
        rc = http_open(&carrier->http, &options);
    if (rc < 0) {
        carrier_close(carrier);
        return rc;
    }
    *out = carrier;
    return 0;
}

/* Adds the header of this body. Returns 0 or -EIO. */
static int sign(struct carrier *carrier, const struct buffer *body)
{
    const struct http_settings *http = &carrier->settings->http;
    char signature[SIGNATURE_SIZE];
    int rc;

    if (!http->key)
        return 0;
    rc = signature_make(signature, http->key, body->data, body->size);
    snprintf(carrier->signature, sizeof carrier->signature, "%.100s: %s", http->key_header,
             signature);
    carrier->headers[carrier->n_headers] = carrier->signature;
    return rc;
}

static void carry(void *self, const struct parcel *parcel, struct carrier_result *out)
{
    struct carrier *carrier = self;
    const struct http_request request = {
        .method = "POST",
        .url = carrier->settings->http.url,
        .headers = carrier->headers,
        .body = parcel->body.data,
        .size = parcel->body.size,
    };
    struct http_answer answer = {0};
    int rc = sign(carrier, &parcel->body);

    if (rc == 0)
        rc = http_send(carrier->http, &request, &answer);
    carrier_http_judge(out, rc, &answer);
    if (rc == 0 && out->verdict != CARRIER_DELIVERED)
        add_reason(out, carrier->settings, &answer);
    buffer_free(&answer.body);
}

static void carrier_abort(void *self)
{
    struct carrier *carrier = self;

    http_abort(carrier->http);
}

const struct carrier_kind carrier_http = {pack, carrier_open, carrier_close, carry, carrier_abort};
