#include "notification.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *item_state_name(enum item_state state)
{
    static const char *const names[] = {
        [ITEM_FIRING] = "firing",     [ITEM_RESOLVED] = "resolved",
        [ITEM_STALE] = "stale",       [ITEM_ACKNOWLEDGED] = "acknowledged",
        [ITEM_FLAPPING] = "flapping", [ITEM_REMOVED] = "removed",
        [ITEM_MOVED] = "moved"};

    return names[state];
}

bool item_is_end(enum item_state state)
{
    return state == ITEM_RESOLVED || state == ITEM_REMOVED;
}

bool item_calls(enum item_state state)
{
    return state == ITEM_FIRING || state == ITEM_STALE || state == ITEM_FLAPPING;
}

const char *notification_kind_name(enum notification_kind kind)
{
    static const char *const names[] = {[NOTIFICATION_NEWS] = "news",
                                        [NOTIFICATION_REPEAT] = "repeat",
                                        [NOTIFICATION_ESCALATION] = "escalation",
                                        [NOTIFICATION_SUMMARY] = "summary"};

    return names[kind];
}

int notification_open(struct notification **out, enum notification_kind kind, const char *group,
                      int64_t time_ms)
{
    struct notification *n = calloc(1, sizeof *n);

    if (!n)
        return -ENOMEM;
    n->kind = kind;
    n->created_ms = time_ms;
    snprintf(n->group, sizeof n->group, "%s", group);
    *out = n;
    return 0;
}

static void item_free(struct item *item)
{
    value_free(&item->value);
    free(item->message);
    free(item->by);
    free(item->comment);
}

void notification_close(struct notification *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n_items; i++)
        item_free(&n->items[i]);
    free(n->items);
    free(n);
}

static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

static int item_copy(struct item *out, const struct item *from)
{
    bool copied;

    *out = *from;
    copied = copy_text(&out->message, from->message);
    copied &= copy_text(&out->by, from->by);
    copied &= copy_text(&out->comment, from->comment);
    out->value = (struct value){.type = VALUE_NONE};
    if (copied && value_copy(&out->value, &from->value) == 0)
        return 0;
    out->value.type = VALUE_NONE;
    item_free(out);
    return -ENOMEM;
}

/* Room for one more, NULL where there is no memory. */
static struct item *add_room(struct notification *n)
{
    if (n->n_items == n->capacity) {
        size_t capacity = n->capacity ? 2 * n->capacity : 1;
        struct item *grown = realloc(n->items, capacity * sizeof *grown);

        if (!grown)
            return NULL;
        n->items = grown;
        n->capacity = capacity;
    }
    return &n->items[n->n_items];
}

int notification_add_item(struct notification *n, const struct item *item)
{
    struct item *room;

    n->counts[item->state]++;
    if (item->severity > n->severity)
        n->severity = item->severity;
    if (n->n_items == NOTIFICATION_ALERTS_MAX)
        return 0;
    room = add_room(n);
    if (!room || item_copy(room, item) < 0)
        return -ENOMEM;
    n->n_items++;
    return 0;
}

int notification_add(struct notification *n, const struct record *record, enum item_state state)
{
    const struct item item = {.state = state,
                              .severity = record->severity,
                              .lost = record->lost,
                              .topic = record->topic,
                              .episode = record->episode,
                              .since_ms = record->since_ms,
                              .value = record->value,
                              .message = record->message,
                              .by = record->by,
                              .comment = record->comment};

    return notification_add_item(n, &item);
}

int notification_copy(struct notification **out, const struct notification *from)
{
    struct notification *n = malloc(sizeof *n);

    if (!n)
        return -ENOMEM;
    *n = *from;
    n->next = NULL;
    n->items = from->n_items ? calloc(from->n_items, sizeof *n->items) : NULL;
    n->n_items = 0;
    n->capacity = from->n_items;
    while (n->items && n->n_items < from->n_items &&
           item_copy(&n->items[n->n_items], &from->items[n->n_items]) == 0)
        n->n_items++;
    if (n->n_items < from->n_items) {
        notification_close(n);
        return -ENOMEM;
    }
    *out = n;
    return 0;
}

void notification_name(struct notification *n, uint64_t serial)
{
    /* A group of up to 207 characters and two numbers of up to 20 digits always fit. */
    snprintf(n->id, sizeof n->id, "%s/%" PRId64 "/%" PRIu64, *n->group ? n->group : "all",
             n->created_ms, serial);
}

static bool same_alert(const struct item *a, const struct item *b)
{
    return strcmp(a->topic.location, b->topic.location) == 0 &&
           strcmp(a->topic.device, b->topic.device) == 0 &&
           strcmp(a->topic.name, b->topic.name) == 0;
}

static void drop_item(struct notification *n, size_t place)
{
    n->counts[n->items[place].state]--;
    item_free(&n->items[place]);
    n->n_items--;
    memmove(&n->items[place], &n->items[place + 1], (n->n_items - place) * sizeof n->items[0]);
}

void notification_supersede(struct notification *summary, const struct notification *told)
{
    for (size_t i = 0; i < told->n_items; i++)
        for (size_t j = summary->n_items; j-- > 0;)
            if (same_alert(&summary->items[j], &told->items[i]))
                drop_item(summary, j);
}

void notification_absorb(struct notification *summary, const struct notification *held)
{
    uint64_t shown[ITEM_STATES] = {0};

    summary->held++;
    summary->forgotten += held->forgotten;
    notification_supersede(summary, held);
    for (size_t i = 0; i < held->n_items; i++) {
        notification_add_item(summary, &held->items[i]);
        shown[held->items[i].state]++;
    }
    for (int i = 0; i < ITEM_STATES; i++)
        summary->counts[i] += held->counts[i] - shown[i];
    if (held->severity > summary->severity)
        summary->severity = held->severity;
}

/* `offset` is of an array of characters within struct topic. */
static const char *shared_name(const struct notification *n, size_t offset)
{
    const char *first = NULL;

    if (notification_count(n) != n->n_items)
        return NULL;
    for (size_t i = 0; i < n->n_items; i++) {
        const char *name = (const char *)&n->items[i].topic + offset;

        if (first && strcmp(first, name) != 0)
            return NULL;
        first = name;
    }
    return first;
}

const char *notification_location(const struct notification *n)
{
    return shared_name(n, offsetof(struct topic, location));
}

const char *notification_device(const struct notification *n)
{
    return shared_name(n, offsetof(struct topic, device));
}

const char *notification_rule(const struct notification *n)
{
    return shared_name(n, offsetof(struct topic, name));
}

uint64_t notification_count(const struct notification *n)
{
    uint64_t count = 0;

    for (int i = 0; i < ITEM_STATES; i++)
        count += n->counts[i];
    return count;
}

enum item_state notification_state(const struct notification *n)
{
    static const enum item_state gravest_first[] = {ITEM_FIRING, ITEM_STALE,        ITEM_FLAPPING,
                                                    ITEM_MOVED,  ITEM_ACKNOWLEDGED, ITEM_REMOVED};

    for (size_t i = 0; i < sizeof gravest_first / sizeof *gravest_first; i++)
        if (n->counts[gravest_first[i]])
            return gravest_first[i];
    return ITEM_RESOLVED;
}

bool notification_calls(const struct notification *n)
{
    return item_calls(notification_state(n)); /* which come first */
}
