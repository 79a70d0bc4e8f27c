/* Requests to a store with the administrator's credentials. Inside setup.c and its kinds. */
#ifndef SETUP_SESSION_H
#define SETUP_SESSION_H

#include "http.h"
#include "jsonr.h"
#include "settings.h"

struct setup_session {
    const struct target_settings *target; /* with the administrator's credentials */
    int64_t retention_ms;                 /* 0: for ever */
    struct http *http;
    struct http_answer answer;
    struct buffer url, body, authorization;
    char error[400];
};

/* Sends session->url and, where it is not empty, session->body as JSON. Returns 0 where the answer
 * is a 2xx without an error in it; -ENOENT for 404; -EREMOTEIO or -errno with a sentence in
 * session->error. */
int setup_send(struct setup_session *session, const char *method);

int setup_influx1(struct setup_session *session); /* all return 0 or -errno, error in the session */
int setup_influx2(struct setup_session *session);

#endif
