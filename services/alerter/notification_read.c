#include "notification_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

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

static int read_severity(const struct jsonr *in, enum alert_severity *out)
{
    const char *name = NULL;
    int rc = jsonr_text(in, "severity", JSONR_REQUIRED, &name);

    if (rc == 0 && alert_severity_parse(out, name) < 0)
        rc = jsonr_fail(in, "severity", "a severity is expected");
    return rc;
}

/* The place of the word at `key` among the `n` that `name_of` gives. */
static int read_word(const struct jsonr *in, const char *key, const char *(*name_of)(int), int n,
                     int *out)
{
    const char *word = NULL;
    int rc = jsonr_text(in, key, JSONR_REQUIRED, &word);

    for (int i = 0; rc == 0 && i < n; i++) {
        if (strcmp(word, name_of(i)) == 0) {
            *out = i;
            return 0;
        }
    }
    return rc < 0 ? rc : jsonr_fail(in, key, "an unknown word");
}

static const char *state_name(int state)
{
    return item_state_name((enum item_state)state);
}

static const char *kind_name(int kind)
{
    return notification_kind_name((enum notification_kind)kind);
}

static int read_item(struct notification *n, const struct jsonr *in)
{
    struct item item = {.topic.kind = TOPIC_ALERT};
    const char *message = NULL, *by = NULL, *comment = NULL;
    struct value lost = value_bool(false);
    int64_t episode = 0;
    int state = 0, rc;

    if ((rc = read_word(in, "state", state_name, ITEM_STATES, &state)) < 0 ||
        (rc = read_severity(in, &item.severity)) < 0 ||
        (rc = read_name(in, "location", item.topic.location)) < 0 ||
        (rc = read_name(in, "device", item.topic.device)) < 0 ||
        (rc = read_name(in, "rule", item.topic.name)) < 0 ||
        (rc = jsonr_text(in, "message", JSONR_REQUIRED, &message)) < 0 ||
        (rc = jsonr_integer(in, "episode", JSONR_REQUIRED, &episode)) < 0 ||
        (rc = jsonr_integer(in, "since", JSONR_REQUIRED, &item.since_ms)) < 0 ||
        (rc = jsonr_value(in, "value", JSONR_OPTIONAL, &item.value)) < 0 ||
        (rc = jsonr_value(in, "lost", JSONR_OPTIONAL, &lost)) < 0 ||
        (rc = jsonr_text(in, "by", JSONR_OPTIONAL, &by)) < 0 ||
        (rc = jsonr_text(in, "comment", JSONR_OPTIONAL, &comment)) < 0)
        return rc;
    item.state = (enum item_state)state;
    item.lost = lost.type == VALUE_BOOL && lost.boolean;
    item.episode = (uint64_t)episode;
    item.message = (char *)message; /* all borrowed: notification_add_item() copies */
    item.by = (char *)by;
    item.comment = (char *)comment;
    return notification_add_item(n, &item);
}

static int read_items(struct notification *n, const struct jsonr *in)
{
    json_object *array = NULL;
    int rc = 0;

    if (!json_object_object_get_ex(in->object, "alerts", &array) ||
        !json_object_is_type(array, json_type_array))
        return jsonr_fail(in, "alerts", "an array is expected");
    for (size_t i = 0; rc == 0 && i < json_object_array_length(array); i++) {
        struct jsonr item = {.object = json_object_array_get_idx(array, i),
                             .path = "alerts.",
                             .error = in->error,
                             .error_size = in->error_size};

        if (!json_object_is_type(item.object, json_type_object))
            return jsonr_fail(in, "alerts", "objects are expected in it");
        rc = read_item(n, &item);
    }
    return rc;
}

static int read_count(const struct jsonr *in, const char *key, uint64_t *out)
{
    int64_t count = 0;
    int rc = jsonr_integer(in, key, JSONR_OPTIONAL, &count);

    *out = (uint64_t)count;
    return rc;
}

/* After the items, which count themselves: not all are shown. */
static int read_counts(struct notification *n, const struct jsonr *in)
{
    struct jsonr inner = {.path = "counts.", .error = in->error, .error_size = in->error_size};
    int rc = jsonr_object(in, "counts", JSONR_REQUIRED, &inner.object);

    for (int i = 0; rc == 0 && i < ITEM_STATES; i++)
        rc = read_count(&inner, state_name(i), &n->counts[i]);
    if (rc == 0)
        rc = read_count(&inner, "standing", &n->standing);
    if (rc == 0)
        rc = read_count(&inner, "forgotten", &n->forgotten);
    if (rc == 0)
        rc = read_count(&inner, "held", &n->held);
    return rc;
}

static int read_members(struct notification *n, const struct jsonr *in)
{
    const char *id = NULL, *error = "";
    int64_t attempts = 0;
    int rc;

    if ((rc = read_severity(in, &n->severity)) < 0 ||
        (rc = jsonr_text(in, "id", JSONR_REQUIRED, &id)) < 0 ||
        (rc = jsonr_integer(in, "held_since", JSONR_OPTIONAL, &n->held_since_ms)) < 0 ||
        (rc = jsonr_integer(in, "attempts", JSONR_REQUIRED, &attempts)) < 0 ||
        (rc = jsonr_text(in, "error", JSONR_OPTIONAL, &error)) < 0 ||
        (rc = read_items(n, in)) < 0 || (rc = read_counts(n, in)) < 0)
        return rc;
    snprintf(n->id, sizeof n->id, "%s", id);
    snprintf(n->error, sizeof n->error, "%s", error);
    n->attempts = (unsigned)attempts;
    return 0;
}

int notification_read(struct notification **out, const struct jsonr *in)
{
    const char *group = NULL;
    int64_t created_ms = 0;
    int kind = 0;
    int rc = read_word(in, "kind", kind_name, NOTIFICATION_KINDS, &kind);

    if (rc == 0)
        rc = jsonr_text(in, "group", JSONR_REQUIRED, &group);
    if (rc == 0)
        rc = jsonr_integer(in, "ts", JSONR_REQUIRED, &created_ms);
    if (rc == 0)
        rc = notification_open(out, (enum notification_kind)kind, group, created_ms);
    if (rc < 0)
        return rc;
    rc = read_members(*out, in);
    if (rc < 0)
        notification_close(*out);
    return rc;
}
