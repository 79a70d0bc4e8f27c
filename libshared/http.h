/* One HTTP request at a time on a kept connection, blocking, for worker threads; or several at the
 * same time on one thread, as a group.
 *
 * Only http:// and https:// are spoken, the certificate and its host name are checked, redirects
 * are not followed, and a proxy is used where the environment names one (https_proxy, no_proxy). */
#ifndef HTTP_H
#define HTTP_H

#include "buffer.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ANSWER_MAX \
    (64 * 1024) /* bytes of an answer's body unless options say more; a longer one is an error */
#define HTTP_RETRY_AFTER_MAX_MS 3600000 /* no server is believed to need more */

struct http;

struct http_options {
    int64_t connect_timeout_ms;
    int64_t timeout_ms;  /* for the whole request */
    const char *ca_file; /* NULL: the system's */
    size_t answer_max;   /* bytes of an answer's body; 0: HTTP_ANSWER_MAX */
};

struct http_request {
    const char *method; /* "POST", "GET"… */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; NULL: none */
    const void *body;           /* NULL: none */
    size_t size;
    bool gzip; /* compress the body and say so (RFC 9110, section 8.4.1.3) */
};

struct http_answer {
    int status;             /* 0 where there was none */
    int64_t retry_after_ms; /* 0 where the server did not say (RFC 9110, section 10.2.3) */
    struct buffer body;     /* owned by the answer: buffer_free() */
    char error[256];        /* why there was no whole answer; empty where there was one */
};

/* Options are copied. Returns 0, -ENOMEM, or -EIO where the library refuses them. */
int http_open(struct http **out, const struct http_options *options);
void http_close(struct http *http);

/* Fills `answer`, of which the old body is reused. Returns 0 where a whole answer came, whatever
 * its status. Otherwise answer->error says why and the return is -ETIMEDOUT; -ECONNREFUSED where
 * nobody could be connected to; -EINVAL for a URL that cannot be used; -EPROTO for an answer that
 * is cut, too long or no HTTP, and for a certificate that does not hold; -ECANCELED after
 * http_abort(); -ENOMEM; -EIO for the rest. */
int http_send(struct http *http, const struct http_request *request, struct http_answer *answer);

/* Requests under way at the same time, on one thread. To be closed after all that were in it. */
#define HTTP_ALSO_MAX 4
struct http_group;
int http_group_open(struct http_group **out); /* 0 or -ENOMEM */
void http_group_close(struct http_group *group);

/* As http_send(), without waiting for the answer; while http_is_under_way() there is no other one
 * with the same `http`, and request->body, unless it is packed, and `answer` are borrowed. Then
 * http_result() says what http_send() would have returned. */
void http_begin(struct http *http, const struct http_request *request, struct http_answer *answer,
                struct http_group *group);
bool http_is_under_way(const struct http *http);
int http_result(const struct http *http);

/* Works on the group's requests until one has ended, one of n descriptors is readable (at most
 * HTTP_ALSO_MAX of them), or that time is over. It may return before. */
void http_group_wait(struct http_group *group, const struct pollfd *also, size_t n, int timeout_ms);

/* From any thread: ends the request in flight, within a second, and every later one. */
void http_abort(struct http *http);

#endif
