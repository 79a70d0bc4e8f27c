/* One HTTP request at a time, blocking, on a kept connection. For worker threads. */
#ifndef HTTP_H
#define HTTP_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ANSWER_MAX (64 * 1024) /* bytes of an answer's body kept; a longer one is an error */

struct http;

struct http_options {
    int64_t connect_timeout_ms;
    int64_t timeout_ms;  /* for the whole request */
    const char *ca_file; /* NULL: the system's */
};

struct http_request {
    const char *method; /* "POST", "GET" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; NULL: none */
    const void *body;
    size_t size;
    bool gzip; /* compress the body and say so */
};

struct http_answer {
    int status;             /* 0 where there was none */
    int64_t retry_after_ms; /* 0 where the server did not say; at most an hour is believed */
    struct buffer body;     /* owned by the answer: buffer_free() */
    char error[256];        /* why there was no whole answer; empty where there was one */
};

int http_open(struct http **out, const struct http_options *options); /* 0 or -ENOMEM */
void http_close(struct http *http);

/* Fills `answer`, of which the old body is reused. Returns 0 where a whole answer came, whatever its
 * status; -ETIMEDOUT, -ECONNREFUSED, -EPROTO or -EIO with answer->error set where none did.
 * Redirects are not followed. Only http:// and https:// are spoken. */
int http_send(struct http *http, const struct http_request *request, struct http_answer *answer);

#endif
