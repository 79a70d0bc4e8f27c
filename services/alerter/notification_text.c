#include "notification_text.h"

#include <inttypes.h>

static void put_acknowledgement(const struct item *item, struct buffer *out)
{
    buffer_text(out, "acknowledged");
    if (item->by)
        buffer_format(out, " by %s", item->by);
    if (item->comment)
        buffer_format(out, " (%s)", item->comment);
}

void item_text(const struct item *item, struct buffer *out)
{
    if (item->state == ITEM_ACKNOWLEDGED)
        put_acknowledgement(item, out);
    else
        buffer_text(out, item_state_name(item->state));
    buffer_format(out, ": %s %s/%s %s", alert_severity_name(item->severity), item->topic.location,
                  item->topic.device, item->topic.name);
    if (*item->message)
        buffer_format(out, ": %s", item->message);
    if (item->state == ITEM_STALE)
        buffer_text(out, item->lost ? " (nobody announces it any more, not resolved)"
                                    : " (data is missing, not resolved)");
    if (item->state == ITEM_FLAPPING)
        buffer_text(out, " (comes and goes; told again when it is at rest)");
    if (item->state == ITEM_REMOVED)
        buffer_text(out, " (taken away, not resolved)");
    if (item->state == ITEM_MOVED)
        buffer_text(out, " (others are told now; here only its end)");
}

static void put_counts(const struct notification *n, struct buffer *out)
{
    static const enum item_state order[] = {ITEM_FIRING,  ITEM_STALE,        ITEM_FLAPPING,
                                            ITEM_MOVED,   ITEM_ACKNOWLEDGED, ITEM_REMOVED,
                                            ITEM_RESOLVED};
    const char *between = "";

    for (int i = 0; i < ITEM_STATES; i++) {
        if (!n->counts[order[i]])
            continue;
        buffer_format(out, "%s%" PRIu64 " %s", between, n->counts[order[i]],
                      item_state_name(order[i]));
        between = ", ";
    }
}

static bool is_single(const struct notification *n)
{
    return n->kind != NOTIFICATION_SUMMARY && n->n_items == 1 && notification_count(n) == 1 &&
           n->forgotten == 0;
}

static void put_kind(const struct notification *n, struct buffer *out)
{
    if (n->kind == NOTIFICATION_REPEAT)
        buffer_text(out, "still ");
    if (n->kind == NOTIFICATION_ESCALATION)
        buffer_text(out, "nobody has acknowledged: ");
    if (n->kind == NOTIFICATION_SUMMARY) {
        buffer_format(out, "%" PRIu64 " notification%s held back by the limit since ", n->held,
                      n->held == 1 ? " was" : "s were");
        zone_text(n->zone, n->held_since_ms, out);
        buffer_text(out, ": ");
    }
}

void notification_heading(const struct notification *n, struct buffer *out)
{
    if (is_single(n)) {
        put_kind(n, out);
        item_text(&n->items[0], out);
        return;
    }
    if (*n->group)
        buffer_format(out, "%s: ", n->group);
    put_kind(n, out);
    put_counts(n, out);
    if (n->forgotten)
        buffer_format(out, "%s%" PRIu64 " older for which there was no room",
                      notification_count(n) ? ", " : "", n->forgotten);
}

/* ---- how to acknowledge ---- */

void item_ack(const struct item *item, const char *root, struct buffer *out)
{
    if (root && item_calls(item->state))
        buffer_format(out, "%s/%s/%s/ack/%s", root, item->topic.location, item->topic.device,
                      item->topic.name);
}

void notification_ack(const struct notification *n, struct buffer *out)
{
    const char *location = notification_location(n), *device = notification_device(n);
    const char *rule = notification_rule(n);

    if (n->root && notification_calls(n))
        buffer_format(out, "%s/%s/%s/ack/%s", n->root, location ? location : "LOCATION",
                      device ? device : "DEVICE", rule ? rule : "RULE");
}

static void put_how_to_acknowledge(const struct notification *n, struct buffer *out)
{
    if (!n->root || !notification_calls(n))
        return;
    buffer_text(out, notification_count(n) == 1 ? "\nacknowledge: " : "\nacknowledge each: ");
    buffer_text(out, "mosquitto_pub -t ");
    notification_ack(n, out);
    buffer_text(out, " -m '{\"by\":\"YOUR NAME\"}'");
}

/* ---- the whole ---- */

/* Of what comes and goes, or is known no more, the moment says nothing. */
static void put_since(const struct notification *n, const struct item *item, struct buffer *out)
{
    if (item->state == ITEM_FLAPPING || item->state == ITEM_REMOVED || item->lost)
        return;
    buffer_text(out, ", since ");
    zone_text(n->zone, item->since_ms, out);
}

void notification_text(const struct notification *n, struct buffer *out)
{
    notification_heading(n, out);
    if (is_single(n))
        put_since(n, &n->items[0], out);
    put_how_to_acknowledge(n, out); /* before the list, of which a service may cut the end */
    for (size_t i = 0; !is_single(n) && i < n->n_items; i++) {
        buffer_text(out, "\n- ");
        item_text(&n->items[i], out);
        put_since(n, &n->items[i], out);
    }
    if (notification_count(n) > n->n_items)
        buffer_format(out, "\n- and %" PRIu64 " more", notification_count(n) - n->n_items);
    if (n->standing)
        buffer_format(out, "\n(%" PRIu64 " more told before %s still active)", n->standing,
                      n->standing == 1 ? "is" : "are");
}
