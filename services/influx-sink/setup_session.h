/* Requests to a store with the administrator's credentials. Inside setup.c and its kinds. */
#ifndef SETUP_SESSION_H
#define SETUP_SESSION_H

#include "http.h"
#include "jsonr.h"
#include "settings.h"

#include <stdbool.h>

#define SETUP_ID_SIZE 33

struct setup_session {
    const struct target_settings *target; /* with the administrator's credentials */
    int64_t retention_ms;                 /* 0: for ever */
    bool make_tokens;
    const char *read_file; /* for the token that reads; NULL: the one that writes reads too */
    bool reads;            /* this store is asked for statistics */
    struct http *http;
    struct http_answer answer;
    struct buffer url, body, authorization;
    char error[400];
};

/* Sends session->url and, where it is not empty, session->body as JSON. Returns 0 where the answer
 * is a 2xx without an error in it; -ENOENT for 404; -EREMOTEIO or -errno with a sentence in
 * session->error. */
int setup_send(struct setup_session *session, const char *method);

/* Sends session->body to the path or, where `id` is not empty, to path/id, and says so. */
int setup_send_to(struct setup_session *session, const char *method, const char *path,
                  const char *id);

int setup_influx1(struct setup_session *session); /* all return 0 or -errno, error in the session */
int setup_influx2(struct setup_session *session);

/* InfluxDB 2: a token for the sink that may write to the bucket and no more, into the target's
 * token_file; one that may read it and no more into read_file. A file has the token in its first
 * line and in the second the authorization's id, by which it is found valid the next time. */
int setup_tokens(struct setup_session *session, const char *org_id, const char *bucket_id);

#endif
