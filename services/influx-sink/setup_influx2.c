#include "jsonw.h"
#include "setup_session.h"
#include "store_url.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK "fieldline_hourly"

static int fail(struct setup_session *session, const char *sentence)
{
    snprintf(session->error, sizeof(session->error), "%s", sentence);
    return -EBADMSG;
}

/* GET path?org=…&name=…: the first element of `list`, the caller's tree; NULL where there is none.
 */
static int find(struct setup_session *session, const char *path, const char *list, const char *name,
                struct jsonr *tree, struct json_object **out)
{
    struct json_object *array = NULL;
    int error;

    buffer_clear(&session->url);
    buffer_clear(&session->body);
    store_url_begin(&session->url, session->target, path);
    store_url_parameter(&session->url, '?', "org", session->target->org);
    if (name)
        store_url_parameter(&session->url, '&', "name", name);
    *out = NULL;
    tree->object = NULL;
    error = setup_send(session, "GET");
    if (error)
        return error == -ENOENT && name ? 0 : error;
    error =
        jsonr_parse_object(tree, buffer_string(&session->answer.body), session->answer.body.size);
    if (error)
        return error;
    json_object_object_get_ex(tree->object, list, &array);
    if (json_object_is_type(array, json_type_array) && json_object_array_length(array) > 0)
        *out = json_object_array_get_idx(array, 0);
    return 0;
}

static int read_id(struct setup_session *session, struct json_object *object,
                   char out[SETUP_ID_SIZE])
{
    struct json_object *id = NULL;

    if (!json_object_object_get_ex(object, "id", &id) ||
        !json_object_is_type(id, json_type_string) ||
        json_object_get_string_len(id) >= SETUP_ID_SIZE || json_object_get_string_len(id) == 0)
        return fail(session, "the store names no id where it should");
    strcpy(out, json_object_get_string(id));
    return 0;
}

/* The id of what has that name; "" where nothing has. */
static int find_id(struct setup_session *session, const char *path, const char *list,
                   const char *name, char out[SETUP_ID_SIZE])
{
    struct jsonr tree = {.path = "", .error = session->error, .error_size = sizeof(session->error)};
    struct json_object *found;
    int error = find(session, path, list, name, &tree, &found);

    out[0] = '\0';
    if (!error && found)
        error = read_id(session, found, out);
    jsonr_free(tree.object);
    return error;
}

int setup_send_to(struct setup_session *session, const char *method, const char *path,
                  const char *id)
{
    int error;

    buffer_clear(&session->url);
    store_url_begin(&session->url, session->target, path);
    if (id[0])
        buffer_format(&session->url, "/%s", id);
    error = session->body.failed ? -ENOMEM : setup_send(session, method);
    if (!error)
        printf("%s %s%s%s\n", method, path, id[0] ? "/" : "", id);
    return error;
}

static int make_bucket(struct setup_session *session, const char *org_id, const char *name,
                       int64_t keep_ms)
{
    char id[SETUP_ID_SIZE];
    struct jsonw w;
    int error = find_id(session, "/api/v2/buckets", "buckets", name, id);

    if (error)
        return error;
    buffer_clear(&session->body);
    w = jsonw_start(&session->body);
    jsonw_object_begin(&w, NULL);
    if (!id[0])
        jsonw_text(&w, "orgID", org_id);
    jsonw_text(&w, "name", name);
    jsonw_array_begin(&w, "retentionRules");
    if (keep_ms > 0) {
        jsonw_object_begin(&w, NULL);
        jsonw_text(&w, "type", "expire");
        jsonw_integer(&w, "everySeconds", keep_ms / 1000);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return setup_send_to(session, id[0] ? "PATCH" : "POST", "/api/v2/buckets", id);
}

/* A Flux string literal ("Flux specification", String literals): ${ would begin an interpolation.
 */
static void put_flux_string(struct buffer *out, const char *text)
{
    buffer_char(out, '"');
    for (; *text; text++) {
        if (strchr("\"\\$", *text))
            buffer_char(out, '\\');
        buffer_char(out, *text);
    }
    buffer_char(out, '"');
}

static void put_flux(struct setup_session *session, const char *hourly, struct buffer *flux)
{
    buffer_text(flux,
                "import \"types\"\noption task = {name: \"" TASK "\", every: 1h, offset: 5m}\n"
                "from(bucket: ");
    put_flux_string(flux, session->target->bucket);
    buffer_text(flux, ")\n  |> range(start: -3h)\n"
                      "  |> filter(fn: (r) => types.isType(v: r._value, type: \"float\") or "
                      "types.isType(v: r._value, type: \"int\"))\n"
                      "  |> toFloat()\n"
                      "  |> aggregateWindow(every: 1h, fn: mean, createEmpty: false)\n"
                      "  |> to(bucket: ");
    put_flux_string(flux, hourly);
    buffer_text(flux, ", org: ");
    put_flux_string(flux, session->target->org);
    buffer_text(flux, ")\n");
}

static int make_task(struct setup_session *session, const char *org_id, const char *hourly)
{
    struct buffer flux = {0};
    char id[SETUP_ID_SIZE];
    struct jsonw w;
    int error = find_id(session, "/api/v2/tasks", "tasks", TASK, id);

    if (error)
        return error;
    put_flux(session, hourly, &flux);
    buffer_clear(&session->body);
    w = jsonw_start(&session->body);
    jsonw_object_begin(&w, NULL);
    if (!id[0])
        jsonw_text(&w, "orgID", org_id);
    jsonw_text(&w, "flux", buffer_string(&flux));
    jsonw_text(&w, "status", "active");
    jsonw_object_end(&w);
    error = flux.failed ? -ENOMEM
                        : setup_send_to(session, id[0] ? "PATCH" : "POST", "/api/v2/tasks", id);
    buffer_free(&flux);
    return error;
}

static int make_tokens(struct setup_session *session, const char *org_id)
{
    char id[SETUP_ID_SIZE];
    int error = find_id(session, "/api/v2/buckets", "buckets", session->target->bucket, id);

    if (!error && !id[0])
        error = fail(session, "the bucket is not there after it was made");
    return error ? error : setup_tokens(session, org_id, id);
}

int setup_influx2(struct setup_session *session)
{
    char org_id[SETUP_ID_SIZE], *hourly;
    int error = find_id(session, "/api/v2/orgs", "orgs", NULL, org_id);

    if (!error && !org_id[0])
        error = fail(session, "no such organisation");
    if (error)
        return error;
    if (asprintf(&hourly, "%s_hourly", session->target->bucket) < 0)
        return -ENOMEM;
    error = make_bucket(session, org_id, session->target->bucket, session->retention_ms);
    if (!error)
        error = make_bucket(session, org_id, hourly, 0);
    if (!error)
        error = make_task(session, org_id, hourly);
    free(hourly);
    return !error && session->make_tokens ? make_tokens(session, org_id) : error;
}
