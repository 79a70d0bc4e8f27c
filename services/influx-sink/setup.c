#include "setup.h"

#include "service.h"
#include "setup_session.h"
#include "store_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_SIZE 512

int setup_send(struct setup_session *session, const char *method)
{
    const char *headers[] = {"Content-Type: application/json", NULL, NULL};
    struct http_request request = {
        .method = method, .url = buffer_string(&session->url), .headers = headers};
    const char *body;
    int error;

    if (session->authorization.size > 0)
        headers[1] = buffer_string(&session->authorization);
    if (session->body.size > 0) {
        request.body = session->body.data;
        request.size = session->body.size;
    }
    error = http_send(session->http, &request, &session->answer);
    body = buffer_string(&session->answer.body);
    if (error)
        snprintf(session->error, sizeof(session->error), "%s", session->answer.error);
    if (error)
        return error;
    if (session->answer.status / 100 == 2 && !strstr(body, "\"error\""))
        return 0;
    snprintf(session->error, sizeof(session->error), "status %d: %.300s", session->answer.status,
             body);
    return session->answer.status == 404 ? -ENOENT : -EREMOTEIO;
}

/* The first line. */
static int read_secret(char out[SECRET_SIZE], const char *path)
{
    FILE *file = fopen(path, "re");

    if (!file)
        return -errno;
    if (!fgets(out, SECRET_SIZE, file))
        out[0] = '\0';
    fclose(file);
    out[strcspn(out, "\r\n")] = '\0';
    return 0;
}

static int set_up_target(struct setup_session *session)
{
    struct http_options options = {.connect_timeout_ms = session->target->connect_timeout_ms,
                                   .timeout_ms = session->target->timeout_ms,
                                   .ca_file = session->target->ca_file};
    int error;

    store_authorization(&session->authorization, session->target);
    error = session->authorization.failed ? -ENOMEM : http_open(&session->http, &options);
    if (error)
        return error;
    return session->target->kind == TARGET_INFLUXDB2 ? setup_influx2(session)
                                                     : setup_influx1(session);
}

/* Whether statistics are asked of this store and, where with credentials of their own, the file. */
static void find_reader(struct setup_session *session, const struct stats_settings *stats)
{
    const struct target_settings *target = session->target, *store = &stats->store;

    session->reads = stats->serve && strcmp(store->name, target->name) == 0;
    if (session->reads && store->secret_file && store->token &&
        strcmp(store->secret_file, target->secret_file ? target->secret_file : "") != 0)
        session->read_file = store->secret_file;
}

static int set_up(const struct settings *settings, const struct target_settings *from, char *secret,
                  bool make_tokens)
{
    struct target_settings target = *from;
    struct setup_session session = {
        .target = &target, .retention_ms = settings->retention_ms, .make_tokens = make_tokens};
    char *colon = strchr(secret, ':');
    int error;

    target.token = target.kind == TARGET_INFLUXDB2 ? secret : NULL;
    if (target.kind == TARGET_INFLUXDB1) {
        target.username = colon ? secret : NULL;
        target.password = colon ? colon + 1 : NULL;
        if (colon)
            *colon = '\0';
    }
    find_reader(&session, &settings->stats);
    printf("%s\n", target.url);
    error = set_up_target(&session);
    if (error)
        fprintf(stderr, "%s: %s\n", target.url,
                session.error[0] ? session.error : strerror(-error));
    if (session.http)
        http_close(session.http);
    buffer_free(&session.answer.body);
    buffer_free(&session.url);
    buffer_free(&session.body);
    buffer_free(&session.authorization);
    return error;
}

int setup_run(const struct settings *settings, const char *admin_file, bool make_tokens)
{
    char secret[SECRET_SIZE];
    int code = SERVICE_OK;

    for (size_t i = 0; i < settings->n_targets; i++) {
        const struct target_settings *target = &settings->targets[i];
        int error = read_secret(secret, admin_file);

        if (error) {
            fprintf(stderr, "%s: %s\n", admin_file, strerror(-error));
            return SERVICE_IO;
        }
        if (target->kind == TARGET_FILE || target->kind == TARGET_INFLUXDB3)
            printf("%s: nothing to set up\n", target->url);
        else if (set_up(settings, target, secret, make_tokens) != 0)
            code = SERVICE_UNAVAILABLE;
    }
    explicit_bzero(secret, sizeof(secret));
    return code;
}
