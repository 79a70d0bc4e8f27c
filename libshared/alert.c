#include "alert.h"

#include "jsonr.h"
#include "jsonw.h"
#include "reading_json.h"
#include "topic.h"

#include <errno.h>
#include <string.h>

static const char *const state_names[] = {
    [ALERT_FIRING] = "firing",
    [ALERT_RESOLVED] = "resolved",
    [ALERT_STALE] = "stale",
};

static const char *const severity_names[] = {
    [ALERT_INFO] = "info",
    [ALERT_WARNING] = "warning",
    [ALERT_CRITICAL] = "critical",
};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

const char *alert_state_name(enum alert_state state)
{
    return state_names[state];
}

const char *alert_severity_name(enum alert_severity severity)
{
    return severity_names[severity];
}

/* The place of `name` among `names`, or -EINVAL. */
static int find_name(const char *const *names, size_t n_names, const char *name)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -EINVAL;
}

int alert_state_parse(enum alert_state *out, const char *name)
{
    int place = find_name(state_names, LENGTH(state_names), name);

    if (place < 0)
        return place;
    *out = (enum alert_state)place;
    return 0;
}

int alert_severity_parse(enum alert_severity *out, const char *name)
{
    int place = find_name(severity_names, LENGTH(severity_names), name);

    if (place < 0)
        return place;
    *out = (enum alert_severity)place;
    return 0;
}

int alert_encode(const struct alert *alert, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "state", alert_state_name(alert->state));
    jsonw_text(&w, "severity", alert_severity_name(alert->severity));
    jsonw_integer(&w, "since", alert->since_ms);
    jsonw_value(&w, "value", &alert->value);
    jsonw_text(&w, "message", alert->message);
    jsonw_text(&w, "rule", alert->rule);
    jsonw_unsigned(&w, "episode", alert->episode);
    if (alert->cause) {
        jsonw_object_begin(&w, "cause");
        jsonw_text(&w, "measurement", alert->cause_measurement);
        reading_write_members(alert->cause, &w);
        jsonw_object_end(&w);
    }
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}

static int read_name(const struct jsonr *in, const char *key, const char **out)
{
    int error = jsonr_text(in, key, JSONR_REQUIRED, out);

    if (!error && !topic_name_valid(*out))
        error = jsonr_fail(in, key, "a name is 1 to 64 of a-z, 0-9, _ and -");
    return error;
}

static int read_levels(struct alert *alert, const struct jsonr *in)
{
    const char *state = NULL, *severity = NULL;
    int error = jsonr_text(in, "state", JSONR_REQUIRED, &state);

    if (!error)
        error = jsonr_text(in, "severity", JSONR_REQUIRED, &severity);
    if (error)
        return error;
    if (alert_state_parse(&alert->state, state))
        return jsonr_fail(in, "state", "firing, resolved or stale is expected");
    if (alert_severity_parse(&alert->severity, severity))
        return jsonr_fail(in, "severity", "info, warning or critical is expected");
    return 0;
}

static int read_members(struct alert *alert, const struct jsonr *in)
{
    int64_t episode = 0;
    int error = read_levels(alert, in);

    if (!error)
        error = jsonr_integer(in, "since", JSONR_REQUIRED, &alert->since_ms);
    if (!error)
        error = jsonr_value(in, "value", JSONR_OPTIONAL, &alert->value);
    if (!error)
        error = jsonr_text(in, "message", JSONR_REQUIRED, &alert->message);
    if (!error)
        error = read_name(in, "rule", &alert->rule);
    if (!error)
        error = jsonr_integer(in, "episode", JSONR_REQUIRED, &episode);
    alert->episode = (uint64_t)episode;
    return error;
}

/* The reading behind the alert, where it has one. */
static int read_cause(struct alert *alert, struct reading *cause, const struct jsonr *in)
{
    struct jsonr inner = {.path = "cause.", .error = in->error, .error_size = in->error_size};
    int error = jsonr_object(in, "cause", JSONR_OPTIONAL, &inner.object);

    if (error || !inner.object)
        return error;
    error = read_name(&inner, "measurement", &alert->cause_measurement);
    if (!error)
        error = reading_read_members(cause, &inner);
    alert->cause = cause;
    return error;
}

int alert_decode(const void *payload, size_t size, alert_fn *on_alert, void *self, char *error,
                 size_t error_size)
{
    struct alert alert = {.value = {.type = VALUE_NONE}};
    struct reading cause = {0};
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    int result = jsonr_parse_object(&in, payload, size);

    if (result)
        return result;
    result = read_members(&alert, &in);
    if (!result)
        result = read_cause(&alert, &cause, &in);
    if (!result)
        result = on_alert(self, &alert);
    reading_free(&cause);
    jsonr_free(in.object);
    return result;
}
