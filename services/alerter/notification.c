#include "notification.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS "…"

/* A copy of at most NOTIFICATION_MESSAGE_MAX bytes that ends on a whole character and shows its
 * cut. */
static char *copy_message(const char *message)
{
    size_t length = strlen(message);
    char *copy;

    if (length <= NOTIFICATION_MESSAGE_MAX)
        return strdup(message);
    length = NOTIFICATION_MESSAGE_MAX;
    while (length > 0 && ((unsigned char)message[length] & 0xc0) == 0x80)
        length--;
    if (asprintf(&copy, "%.*s" ELLIPSIS, (int)length, message) < 0)
        return NULL;
    return copy;
}

static void make_id(struct notification *n)
{
    /* Three names of up to 64 characters, 20 digits and a state always fit. */
    snprintf(n->id, sizeof n->id, "%s/%s/%s/%" PRIu64 "/%s", n->location, n->device, n->rule,
             n->episode, alert_state_name(n->state));
}

int notification_open(struct notification **out, const struct topic *topic,
                      const struct alert *alert, int64_t time_ms)
{
    struct notification *n = calloc(1, sizeof *n);

    if (!n)
        return -ENOMEM;
    strcpy(n->location, topic->location);
    strcpy(n->device, topic->device);
    strcpy(n->rule, topic->name);
    n->state = alert->state;
    n->severity = alert->severity;
    n->episode = alert->episode;
    n->since_ms = alert->since_ms;
    n->created_ms = time_ms;
    n->message = copy_message(alert->message);
    make_id(n);
    if (!n->message || value_copy(&n->value, &alert->value) < 0) {
        n->value.type = VALUE_NONE;
        notification_close(n);
        return -ENOMEM;
    }
    *out = n;
    return 0;
}

int notification_copy(struct notification **out, const struct notification *from)
{
    struct notification *n = malloc(sizeof *n);

    if (!n)
        return -ENOMEM;
    *n = *from;
    n->next = NULL;
    n->message = strdup(from->message);
    if (!n->message || value_copy(&n->value, &from->value) < 0) {
        n->value.type = VALUE_NONE;
        notification_close(n);
        return -ENOMEM;
    }
    *out = n;
    return 0;
}

void notification_close(struct notification *n)
{
    if (!n)
        return;
    value_free(&n->value);
    free(n->message);
    free(n);
}

void notification_text(const struct notification *n, struct buffer *out)
{
    static const char *const remarks[] = {[ALERT_FIRING] = "",
                                          [ALERT_RESOLVED] = "",
                                          [ALERT_STALE] = " (data is missing, not resolved)"};

    buffer_format(out, "%s: %s %s/%s %s", alert_state_name(n->state),
                  alert_severity_name(n->severity), n->location, n->device, n->rule);
    if (*n->message)
        buffer_format(out, ": %s", n->message);
    buffer_text(out, remarks[n->state]);
}

static void write_names(const struct notification *n, struct jsonw *w)
{
    jsonw_text(w, "state", alert_state_name(n->state));
    jsonw_text(w, "severity", alert_severity_name(n->severity));
    jsonw_text(w, "location", n->location);
    jsonw_text(w, "device", n->device);
    jsonw_text(w, "rule", n->rule);
    jsonw_text(w, "message", n->message);
}

static void write_details(const struct notification *n, struct jsonw *w)
{
    jsonw_unsigned(w, "episode", n->episode);
    jsonw_integer(w, "since", n->since_ms);
    jsonw_value(w, "value", &n->value);
}

int notification_body(const struct notification *n, struct buffer *out)
{
    struct buffer text = {0};
    struct jsonw w = jsonw_start(out);

    notification_text(n, &text);
    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "id", n->id);
    jsonw_integer(&w, "ts", n->created_ms);
    write_names(n, &w);
    write_details(n, &w);
    jsonw_text(&w, "text", buffer_string(&text));
    jsonw_object_end(&w);
    if (text.failed)
        out->failed = true;
    buffer_free(&text);
    return out->failed ? -ENOMEM : 0;
}

int notification_outcome(const struct notification *n, bool delivered, int64_t time_ms,
                         struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "ts", time_ms);
    jsonw_text(&w, "id", n->id);
    jsonw_text(&w, "outcome", delivered ? "delivered" : "failed");
    jsonw_unsigned(&w, "attempts", n->attempts);
    jsonw_text(&w, "error", *n->error ? n->error : NULL);
    write_names(n, &w);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}

void notification_write(const struct notification *n, struct jsonw *w, const char *key)
{
    jsonw_object_begin(w, key);
    jsonw_integer(w, "ts", n->created_ms);
    write_names(n, w);
    write_details(n, w);
    jsonw_unsigned(w, "attempts", n->attempts);
    jsonw_text(w, "error", n->error);
    jsonw_object_end(w);
}

static int read_name(const struct jsonr *in, const char *key, char out[TOPIC_NAME_SIZE])
{
    const char *name = NULL;
    int rc = jsonr_text(in, key, JSONR_REQUIRED, &name);

    if (rc < 0)
        return rc;
    if (!topic_name_valid(name))
        return jsonr_fail(in, key, "a name is expected");
    strcpy(out, name);
    return 0;
}

static int read_levels(struct alert *alert, const struct jsonr *in)
{
    const char *state = NULL, *severity = NULL;
    int rc = jsonr_text(in, "state", JSONR_REQUIRED, &state);

    if (rc == 0)
        rc = jsonr_text(in, "severity", JSONR_REQUIRED, &severity);
    if (rc < 0)
        return rc;
    alert->state = ALERT_FIRING;
    while (alert->state < ALERT_STALE && strcmp(state, alert_state_name(alert->state)) != 0)
        alert->state++;
    if (strcmp(state, alert_state_name(alert->state)) != 0)
        return jsonr_fail(in, "state", "an alert's state is expected");
    if (alert_severity_parse(&alert->severity, severity) < 0)
        return jsonr_fail(in, "severity", "a severity is expected");
    return 0;
}

int notification_read(struct notification **out, const struct jsonr *in)
{
    struct topic topic = {.kind = TOPIC_ALERT};
    struct alert alert = {0};
    int64_t created_ms = 0, episode = 0, attempts = 0;
    const char *error = "";
    int rc;

    if ((rc = read_name(in, "location", topic.location)) < 0 ||
        (rc = read_name(in, "device", topic.device)) < 0 ||
        (rc = read_name(in, "rule", topic.name)) < 0 || (rc = read_levels(&alert, in)) < 0 ||
        (rc = jsonr_integer(in, "ts", JSONR_REQUIRED, &created_ms)) < 0 ||
        (rc = jsonr_integer(in, "since", JSONR_REQUIRED, &alert.since_ms)) < 0 ||
        (rc = jsonr_integer(in, "episode", JSONR_REQUIRED, &episode)) < 0 ||
        (rc = jsonr_integer(in, "attempts", JSONR_REQUIRED, &attempts)) < 0 ||
        (rc = jsonr_value(in, "value", JSONR_OPTIONAL, &alert.value)) < 0 ||
        (rc = jsonr_text(in, "error", JSONR_OPTIONAL, &error)) < 0 ||
        (rc = jsonr_text(in, "message", JSONR_REQUIRED, &alert.message)) < 0)
        return rc;
    alert.episode = (uint64_t)episode;
    rc = notification_open(out, &topic, &alert, created_ms);
    if (rc < 0)
        return rc;
    (*out)->attempts = (unsigned)attempts;
    snprintf((*out)->error, sizeof(*out)->error, "%s", error);
    return 0;
}
