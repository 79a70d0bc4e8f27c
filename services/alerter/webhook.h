/* Posts notifications to a URL, one at a time, on a thread of its own, since that blocks. */
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include "buffer.h"
#include "http.h"
#include "loop.h"
#include "settings.h"

#include <stdint.h>

enum webhook_verdict {
    WEBHOOK_DELIVERED,
    WEBHOOK_RETRY,  /* the receiver cannot take it now */
    WEBHOOK_REFUSED /* it never will take this one */
};

struct webhook_result {
    enum webhook_verdict verdict;
    int64_t retry_after_ms; /* 0 where the receiver did not say */
    char error[256];        /* "" where it was delivered */
};

/* What http_send() came to: 2xx delivers; 408, 425, 429 and 5xx and no answer at all are tried
 * again; the rest, redirects too, is refused. Pure. */
void webhook_judge(struct webhook_result *out, int rc, const struct http_answer *answer);

/* Posts the body and waits. For the worker's thread and for tools. */
void webhook_post(struct http *http, const struct webhook_settings *settings,
                  const struct buffer *body, struct webhook_result *out);
int webhook_http(struct http **out, const struct webhook_settings *settings); /* http_open() */

struct webhook;

/* Called on the loop once for each webhook_send(). */
typedef void webhook_fn(void *self, const struct webhook_result *result);

/* Settings are borrowed. Returns 0 or -errno. */
int webhook_open(struct webhook **out, struct loop *loop, const struct webhook_settings *settings,
                 webhook_fn *on_result, void *self);
void webhook_close(struct webhook *webhook); /* ends a request in flight; NULL is ignored */

/* Takes the bytes out of `body`. The next one may be sent after the result. Returns 0 or -ENOMEM.
 */
int webhook_send(struct webhook *webhook, struct buffer *body);

#endif
