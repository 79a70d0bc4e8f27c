#include "file_replace.h"
#include "jsonw.h"
#include "setup_session.h"
#include "store_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH "/api/v2/authorizations"
#define MARK "# InfluxDB authorization "

struct wanted {
    const char *file;
    bool read, write;
};

/* The id in the file's second line; "" where setup did not write it. */
static void read_mark(const char *path, char out[SETUP_ID_SIZE])
{
    char line[512];
    FILE *file = fopen(path, "re");

    out[0] = '\0';
    if (!file)
        return;
    if (fgets(line, sizeof(line), file) && fgets(line, sizeof(line), file) &&
        strncmp(line, MARK, strlen(MARK)) == 0)
        sscanf(line + strlen(MARK), "%32[0-9a-f]", out);
    fclose(file);
}

static int ask(struct setup_session *session, const char *id, struct jsonr *tree)
{
    int error;

    buffer_clear(&session->url);
    buffer_clear(&session->body);
    store_url_begin(&session->url, session->target, PATH);
    buffer_format(&session->url, "/%s", id);
    error = setup_send(session, "GET");
    return error ? error
                 : jsonr_parse_object(tree, buffer_string(&session->answer.body),
                                      session->answer.body.size);
}

/* Whether the store still knows that authorization: 1, 0 or -errno. */
static int is_known(struct setup_session *session, const char *id)
{
    struct jsonr tree = {.path = "", .error = session->error, .error_size = sizeof(session->error)};
    const char *status = NULL;
    int result = id[0] ? ask(session, id, &tree) : -ENOENT;

    if (!result)
        result = jsonr_text(&tree, "status", JSONR_REQUIRED, &status);
    if (!result)
        result = strcmp(status, "active") == 0;
    jsonr_free(tree.object);
    return result == -ENOENT ? 0 : result;
}

static void put_permission(struct jsonw *w, const char *action, const char *org_id,
                           const char *bucket_id)
{
    jsonw_object_begin(w, NULL);
    jsonw_text(w, "action", action);
    jsonw_object_begin(w, "resource");
    jsonw_text(w, "type", "buckets");
    jsonw_text(w, "id", bucket_id);
    jsonw_text(w, "orgID", org_id);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static int request(struct setup_session *session, const struct wanted *wanted, const char *org_id,
                   const char *bucket_id)
{
    struct jsonw w;
    char text[160];

    snprintf(text, sizeof(text), "influx-sink: %s%s%s %.100s", wanted->write ? "write" : "",
             wanted->write && wanted->read ? " and " : "", wanted->read ? "read" : "",
             session->target->bucket);
    buffer_clear(&session->body);
    w = jsonw_start(&session->body);
    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "orgID", org_id);
    jsonw_text(&w, "description", text);
    jsonw_array_begin(&w, "permissions");
    if (wanted->write)
        put_permission(&w, "write", org_id, bucket_id);
    if (wanted->read)
        put_permission(&w, "read", org_id, bucket_id);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return setup_send_to(session, "POST", PATH, "");
}

/* The token from the store's answer, into its file. */
static int keep(struct setup_session *session, const char *path)
{
    struct jsonr tree = {.path = "", .error = session->error, .error_size = sizeof(session->error)};
    const struct buffer *body = &session->answer.body;
    struct buffer text = {0};
    const char *token = NULL, *id = NULL;
    int error = jsonr_parse_object(&tree, buffer_string(body), body->size);

    if (!error)
        error = jsonr_text(&tree, "token", JSONR_REQUIRED, &token);
    if (!error)
        error = jsonr_text(&tree, "id", JSONR_REQUIRED, &id);
    if (!error) {
        buffer_format(&text, "%s\n" MARK "%s\n", token, id);
        error = file_replace(path, &text, 0400); /* only its owner's */
        if (error)
            snprintf(session->error, sizeof(session->error), "%.200s: %s", path, strerror(-error));
        else
            printf("%s: a new token\n", path);
    }
    if (text.data)
        explicit_bzero(text.data, text.size);
    buffer_free(&text);
    jsonr_free(tree.object);
    return error;
}

static int provide(struct setup_session *session, const struct wanted *wanted, const char *org_id,
                   const char *bucket_id)
{
    char id[SETUP_ID_SIZE];
    int result;

    read_mark(wanted->file, id);
    result = is_known(session, id);
    if (result > 0)
        printf("%s: its token is valid\n", wanted->file);
    if (result != 0)
        return result < 0 ? result : 0;
    result = request(session, wanted, org_id, bucket_id);
    return result ? result : keep(session, wanted->file);
}

int setup_tokens(struct setup_session *session, const char *org_id, const char *bucket_id)
{
    const struct wanted writer = {.file = session->target->secret_file,
                                  .write = true,
                                  .read = session->reads && !session->read_file},
                        reader = {.file = session->read_file, .read = true};
    int error = writer.file ? provide(session, &writer, org_id, bucket_id) : 0;

    if (!error && reader.file)
        error = provide(session, &reader, org_id, bucket_id);
    return error;
}
