/* InfluxDB 1.x and 2.x over HTTP: "Write data with the API" of their documentation. */
#include "target_kind.h"

#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct influx {
    struct http *http;
    struct http_answer answer;
    struct buffer url;
    struct buffer authorization; /* empty: none */
    bool gzip;
};

/* RFC 3986, section 2.3: all but the unreserved characters. */
static void put_percent(struct buffer *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buffer_char(out, *text);
        else
            buffer_format(out, "%%%02X", (unsigned char)*text);
    }
}

/* RFC 4648, section 4. */
static void put_base64(struct buffer *out, const char *text, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        unsigned group = (unsigned)(unsigned char)text[i] << 16;

        if (i + 1 < size)
            group |= (unsigned)(unsigned char)text[i + 1] << 8;
        if (i + 2 < size)
            group |= (unsigned char)text[i + 2];
        buffer_char(out, digits[group >> 18]);
        buffer_char(out, digits[group >> 12 & 63]);
        buffer_char(out, i + 1 < size ? digits[group >> 6 & 63] : '=');
        buffer_char(out, i + 2 < size ? digits[group & 63] : '=');
    }
}

static void put_parameter(struct buffer *url, const char *separator, const char *key,
                          const char *value)
{
    buffer_format(url, "%s%s=", separator, key);
    put_percent(url, value);
}

static void make_url(struct influx *influx, const struct target_settings *settings)
{
    struct buffer *url = &influx->url;
    size_t length = strlen(settings->url);

    while (length > 0 && settings->url[length - 1] == '/')
        length--;
    buffer_append(url, settings->url, length);
    if (settings->kind == TARGET_INFLUXDB2) {
        buffer_text(url, "/api/v2/write");
        put_parameter(url, "?", "org", settings->org);
        put_parameter(url, "&", "bucket", settings->bucket);
    } else {
        buffer_text(url, "/write");
        put_parameter(url, "?", "db", settings->database);
        if (settings->retention_policy[0])
            put_parameter(url, "&", "rp", settings->retention_policy);
    }
    buffer_text(url, "&precision=ms");
}

static void make_authorization(struct influx *influx, const struct target_settings *settings)
{
    struct buffer pair = {0};

    if (settings->token)
        buffer_format(&influx->authorization, "Authorization: Token %s", settings->token);
    if (!settings->username)
        return;
    buffer_format(&pair, "%s:%s", settings->username, settings->password ? settings->password : "");
    buffer_text(&influx->authorization, "Authorization: Basic ");
    put_base64(&influx->authorization, buffer_string(&pair), pair.size);
    buffer_free(&pair);
}

static void influx_close(void *self)
{
    struct influx *influx = self;

    http_close(influx->http);
    buffer_free(&influx->answer.body);
    buffer_free(&influx->url);
    buffer_free(&influx->authorization);
    free(influx);
}

static int influx_open(void **self, const struct target_settings *settings)
{
    struct http_options options = {.connect_timeout_ms = settings->connect_timeout_ms,
                                   .timeout_ms = settings->timeout_ms,
                                   .ca_file = settings->ca_file};
    struct influx *influx = calloc(1, sizeof(*influx));
    int error;

    if (!influx)
        return -ENOMEM;
    influx->gzip = settings->gzip;
    make_url(influx, settings);
    make_authorization(influx, settings);
    error = influx->url.failed || influx->authorization.failed ? -ENOMEM
                                                               : http_open(&influx->http, &options);
    if (error) {
        influx_close(influx);
        return error;
    }
    *self = influx;
    return 0;
}

static void influx_post(void *self, const char *lines, size_t size, struct target_answer *answer)
{
    struct influx *influx = self;
    const char *headers[] = {"Content-Type: text/plain; charset=utf-8", NULL, NULL};
    struct http_request request = {.method = "POST",
                                   .url = buffer_string(&influx->url),
                                   .headers = headers,
                                   .body = lines,
                                   .size = size,
                                   .gzip = influx->gzip};
    const struct buffer *body = &influx->answer.body;

    if (influx->authorization.size > 0)
        headers[1] = buffer_string(&influx->authorization);
    if (http_send(influx->http, &request, &influx->answer) != 0) {
        target_words(answer, influx->answer.error, strlen(influx->answer.error));
        return;
    }
    answer->result.status = influx->answer.status;
    answer->result.retry_after_ms = influx->answer.retry_after_ms;
    answer->result.says_error = strstr(buffer_string(body), "\"error\"") != NULL;
    target_words(answer, buffer_string(body), body->size);
}

static void influx_abort(void *self)
{
    struct influx *influx = self;

    http_abort(influx->http);
}

const struct target_functions target_influx = {
    .open = influx_open, .close = influx_close, .post = influx_post, .abort = influx_abort};
