#include "notification_json.h"

#include "notification_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- for receivers ---- */

static void write_counts(const struct notification *n, struct jsonw *w)
{
    jsonw_object_begin(w, "counts");
    for (int i = 0; i < ITEM_STATES; i++)
        if (n->counts[i])
            jsonw_unsigned(w, item_state_name((enum item_state)i), n->counts[i]);
    if (n->standing)
        jsonw_unsigned(w, "standing", n->standing);
    if (n->forgotten)
        jsonw_unsigned(w, "forgotten", n->forgotten);
    if (n->held)
        jsonw_unsigned(w, "held", n->held);
    jsonw_object_end(w);
}

/* The members that both have: kind, state, severity, what all its alerts have in common, counts. */
static void write_summary(const struct notification *n, struct jsonw *w)
{
    struct buffer heading = {0};
    bool single = n->n_items == 1 && notification_count(n) == 1;

    notification_heading(n, &heading);
    jsonw_text(w, "kind", notification_kind_name(n->kind));
    jsonw_text(w, "group", n->group);
    jsonw_text(w, "state", item_state_name(notification_state(n)));
    jsonw_text(w, "severity", alert_severity_name(n->severity));
    jsonw_text(w, "location", notification_location(n));
    jsonw_text(w, "device", notification_device(n));
    jsonw_text(w, "rule", notification_rule(n));
    jsonw_text(w, "message", single ? n->items[0].message : buffer_string(&heading));
    if (single)
        jsonw_unsigned(w, "episode", n->items[0].episode);
    else
        jsonw_null(w, "episode");
    write_counts(n, w);
    if (heading.failed)
        w->out->failed = true;
    buffer_free(&heading);
}

static void write_item(const struct item *item, const char *root, struct jsonw *w)
{
    struct buffer ack = {0};

    item_ack(item, root, &ack);
    jsonw_object_begin(w, NULL);
    jsonw_text(w, "state", item_state_name(item->state));
    jsonw_text(w, "severity", alert_severity_name(item->severity));
    jsonw_text(w, "location", item->topic.location);
    jsonw_text(w, "device", item->topic.device);
    jsonw_text(w, "rule", item->topic.name);
    jsonw_text(w, "message", item->message);
    jsonw_unsigned(w, "episode", item->episode);
    jsonw_integer(w, "since", item->since_ms);
    jsonw_value(w, "value", &item->value);
    if (item->lost)
        jsonw_bool(w, "lost", true);
    if (item->by)
        jsonw_text(w, "by", item->by);
    if (item->comment)
        jsonw_text(w, "comment", item->comment);
    if (ack.size > 0)
        jsonw_text(w, "ack", buffer_string(&ack));
    jsonw_object_end(w);
    w->out->failed |= ack.failed;
    buffer_free(&ack);
}

/* `root` NULL: without the topics to acknowledge by. */
static void write_items(const struct notification *n, const char *root, struct jsonw *w)
{
    jsonw_array_begin(w, "alerts");
    for (size_t i = 0; i < n->n_items; i++)
        write_item(&n->items[i], root, w);
    jsonw_array_end(w);
}

int notification_body(const struct notification *n, struct buffer *out)
{
    struct buffer text = {0};
    struct jsonw w = jsonw_start(out);

    notification_text(n, &text);
    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "id", n->id);
    jsonw_integer(&w, "ts", n->created_ms);
    write_summary(n, &w);
    jsonw_text(&w, "text", buffer_string(&text));
    write_items(n, n->root, &w);
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
    write_summary(n, &w);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}

/* ---- for the state file ---- */

void notification_write(const struct notification *n, struct jsonw *w, const char *key)
{
    jsonw_object_begin(w, key);
    jsonw_text(w, "id", n->id);
    jsonw_text(w, "kind", notification_kind_name(n->kind));
    jsonw_text(w, "group", n->group);
    jsonw_text(w, "severity", alert_severity_name(n->severity));
    jsonw_integer(w, "ts", n->created_ms);
    write_counts(n, w);
    jsonw_integer(w, "held_since", n->held_since_ms);
    write_items(n, NULL, w);
    jsonw_unsigned(w, "attempts", n->attempts);
    jsonw_text(w, "error", n->error);
    jsonw_object_end(w);
}
