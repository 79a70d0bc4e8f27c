#include "template_field.h"

#include "notification_text.h"

#include <inttypes.h>
#include <string.h>

enum field {
    FIELD_HEADING,
    FIELD_TEXT,
    FIELD_KIND,
    FIELD_STATE,
    FIELD_SEVERITY,
    FIELD_GROUP,
    FIELD_LOCATION,
    FIELD_DEVICE,
    FIELD_RULE,
    FIELD_MESSAGE,
    FIELD_EPISODE,
    FIELD_SINCE,
    FIELD_VALUE,
    FIELD_BY,
    FIELD_COMMENT,
    FIELD_ACK,
    FIELD_ID,
    FIELD_TIME,
    FIELD_COUNT, /* the first count */
    FIELD_SHOWN,
    FIELD_MORE,
    FIELD_FIRING, /* in the order of enum item_state */
    FIELD_RESOLVED,
    FIELD_STALE,
    FIELD_ACKNOWLEDGED,
    FIELD_FLAPPING,
    FIELD_REMOVED,
    FIELD_MOVED,
    FIELD_STANDING,
    FIELD_FORGOTTEN,
    FIELD_HELD,
    N_FIELDS
};

static const char *const names[N_FIELDS] = {
    [FIELD_HEADING] = "heading",
    [FIELD_TEXT] = "text",
    [FIELD_KIND] = "kind",
    [FIELD_STATE] = "state",
    [FIELD_SEVERITY] = "severity",
    [FIELD_GROUP] = "group",
    [FIELD_LOCATION] = "location",
    [FIELD_DEVICE] = "device",
    [FIELD_RULE] = "rule",
    [FIELD_MESSAGE] = "message",
    [FIELD_EPISODE] = "episode",
    [FIELD_SINCE] = "since",
    [FIELD_VALUE] = "value",
    [FIELD_BY] = "by",
    [FIELD_COMMENT] = "comment",
    [FIELD_ACK] = "ack",
    [FIELD_ID] = "id",
    [FIELD_TIME] = "time",
    [FIELD_COUNT] = "count",
    [FIELD_SHOWN] = "shown",
    [FIELD_MORE] = "more",
    [FIELD_FIRING] = "firing",
    [FIELD_RESOLVED] = "resolved",
    [FIELD_STALE] = "stale",
    [FIELD_ACKNOWLEDGED] = "acknowledged",
    [FIELD_FLAPPING] = "flapping",
    [FIELD_REMOVED] = "removed",
    [FIELD_MOVED] = "moved",
    [FIELD_STANDING] = "standing",
    [FIELD_FORGOTTEN] = "forgotten",
    [FIELD_HELD] = "held",
};

int template_field_find(const char *name, size_t length)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return i;
    return -1;
}

bool template_field_count(int field, const struct notification *n, uint64_t *out)
{
    switch (field) {
    case FIELD_COUNT:
        *out = notification_count(n);
        return true;
    case FIELD_SHOWN:
        *out = n->n_items;
        return true;
    case FIELD_MORE:
        *out = notification_count(n) - n->n_items;
        return true;
    case FIELD_STANDING:
        *out = n->standing;
        return true;
    case FIELD_FORGOTTEN:
        *out = n->forgotten;
        return true;
    case FIELD_HELD:
        *out = n->held;
        return true;
    default:
        if (field < FIELD_FIRING || field > FIELD_MOVED)
            return false;
        *out = n->counts[field - FIELD_FIRING];
        return true;
    }
}

static void put_value(const struct value *value, struct buffer *out)
{
    if (value->type == VALUE_TEXT)
        buffer_text(out, value->text);
    else if (value->type == VALUE_BOOL)
        buffer_text(out, value->boolean ? "true" : "false");
    else if (value->type == VALUE_NUMBER)
        buffer_number(out, value->number);
}

static void put_text(const char *text, struct buffer *out)
{
    if (text)
        buffer_text(out, text);
}

/* Of one alert. Returns whether it is such a field. */
static bool put_item(int field, const struct notification *n, const struct item *item,
                     struct buffer *out)
{
    switch (field) {
    case FIELD_TEXT:
        item_text(item, out);
        return true;
    case FIELD_STATE:
        buffer_text(out, item_state_name(item->state));
        return true;
    case FIELD_SEVERITY:
        buffer_text(out, alert_severity_name(item->severity));
        return true;
    case FIELD_MESSAGE:
        buffer_text(out, item->message);
        return true;
    case FIELD_EPISODE:
        buffer_format(out, "%" PRIu64, item->episode);
        return true;
    case FIELD_SINCE:
        zone_text(n->zone, item->since_ms, out);
        return true;
    case FIELD_VALUE:
        put_value(&item->value, out);
        return true;
    case FIELD_BY:
        put_text(item->by, out);
        return true;
    case FIELD_COMMENT:
        put_text(item->comment, out);
        return true;
    case FIELD_ACK:
        item_ack(item, n->root, out);
        return true;
    default:
        return false;
    }
}

static bool put_name(int field, const struct notification *n, const struct item *item,
                     struct buffer *out)
{
    const struct topic *topic = item ? &item->topic : NULL;

    switch (field) {
    case FIELD_LOCATION:
        put_text(topic ? topic->location : notification_location(n), out);
        return true;
    case FIELD_DEVICE:
        put_text(topic ? topic->device : notification_device(n), out);
        return true;
    case FIELD_RULE:
        put_text(topic ? topic->name : notification_rule(n), out);
        return true;
    default:
        return false;
    }
}

static void put_whole(int field, const struct notification *n, struct buffer *out)
{
    uint64_t count;

    if (template_field_count(field, n, &count))
        buffer_format(out, "%" PRIu64, count);
    else if (field == FIELD_HEADING)
        notification_heading(n, out);
    else if (field == FIELD_TEXT)
        notification_text(n, out);
    else if (field == FIELD_KIND)
        buffer_text(out, notification_kind_name(n->kind));
    else if (field == FIELD_STATE)
        buffer_text(out, item_state_name(notification_state(n)));
    else if (field == FIELD_SEVERITY)
        buffer_text(out, alert_severity_name(n->severity));
    else if (field == FIELD_GROUP)
        buffer_text(out, n->group);
    else if (field == FIELD_ACK)
        notification_ack(n, out);
    else if (field == FIELD_ID)
        buffer_text(out, n->id);
    else if (field == FIELD_TIME)
        zone_text(n->zone, n->created_ms, out);
}

void template_field_put(int field, const struct notification *n, const struct item *item,
                        struct buffer *out)
{
    const struct item *only = n->n_items == 1 && notification_count(n) == 1 ? n->items : NULL;

    if (put_name(field, n, item, out))
        return;
    if (item && put_item(field, n, item, out))
        return;
    if (!item && only && field != FIELD_TEXT && put_item(field, n, only, out))
        return;
    put_whole(field, n, out);
}
