/* A notification: what one channel is told at one moment, about one alert or a group of them. Pure.
 *
 * Its id, group/milliseconds/serial number, is written down before it is sent for the first time
 * and is the same however often it is sent: also by another channel in place of the first, and
 * after a restart. Who gets it twice can tell. */
#ifndef NOTIFICATION_H
#define NOTIFICATION_H

#include "book.h"
#include "buffer.h"
#include "topic.h"
#include "zone.h"

#include <stdbool.h>
#include <stdint.h>

#define NOTIFICATION_ID_SIZE 256
#define NOTIFICATION_GROUP_SIZE 208
#define NOTIFICATION_ALERTS_MAX 50 /* shown one by one; those beyond are only counted */
#define NOTIFICATION_ERROR_SIZE 256

/* What is said of an alert; the first three are enum alert_state's. */
enum item_state {
    ITEM_FIRING = ALERT_FIRING,
    ITEM_RESOLVED = ALERT_RESOLVED,
    ITEM_STALE = ALERT_STALE,
    ITEM_ACKNOWLEDGED,
    ITEM_FLAPPING,
    ITEM_REMOVED, /* its retained message was taken away: over, without being resolved */
    ITEM_MOVED,   /* its severity or a reload routes it elsewhere: who hears this hears its end only
                   */
    ITEM_STATES
};

const char *item_state_name(enum item_state state);
bool item_is_end(enum item_state state); /* resolved, removed */
bool item_calls(enum item_state state);  /* for somebody to look: firing, stale, flapping */

enum notification_kind {
    NOTIFICATION_NEWS,
    NOTIFICATION_REPEAT,
    NOTIFICATION_ESCALATION, /* nobody acknowledged in time */
    NOTIFICATION_SUMMARY,    /* of what a channel's limit held back */
    NOTIFICATION_KINDS
};

const char *notification_kind_name(enum notification_kind kind);

struct item {
    enum item_state state;
    enum alert_severity severity;
    bool lost;          /* stale because nobody announces it any more */
    struct topic topic; /* location, device, rule */
    uint64_t episode;
    int64_t since_ms;   /* wall clock, as the alert says */
    struct value value; /* owned, as are the texts */
    char *message;
    char *by, *comment; /* who acknowledged; NULL where nobody did, or did not say */
};

struct notification {
    struct notification *next; /* in whatever list it is */
    char id[NOTIFICATION_ID_SIZE];
    enum notification_kind kind;
    char group[NOTIFICATION_GROUP_SIZE]; /* what the alerts have in common: "hall/line_1"; or "" */
    int64_t created_ms;                  /* wall clock */
    enum alert_severity severity;        /* the gravest */
    uint64_t counts[ITEM_STATES];        /* of all that it is about */
    uint64_t standing;  /* others of the group that are active and were told before */
    uint64_t forgotten; /* older ones that had to go for want of room before they were told */
    struct item *items; /* owned; the gravest first, the newest of them first */
    size_t n_items, capacity;
    const struct zone *zone; /* borrowed; of whom it is for, set by who sends it; NULL: UTC */
    const char *root;        /* borrowed; of the topics to acknowledge by, likewise; NULL: none */
    uint64_t held;           /* of a summary: notifications that it stands for */
    int64_t held_since_ms;
    unsigned attempts;
    char error[NOTIFICATION_ERROR_SIZE]; /* of the last attempt that failed; "" where none did */
};

/* Without items. Returns 0 or -ENOMEM. */
int notification_open(struct notification **out, enum notification_kind kind, const char *group,
                      int64_t time_ms);
int notification_copy(struct notification **out, const struct notification *from);
void notification_close(struct notification *notification); /* NULL is ignored */

void notification_name(struct notification *notification, uint64_t serial); /* makes the id */

/* Counts the record and, where there is room, shows it. Returns 0 or -ENOMEM: only counted. */
int notification_add(struct notification *notification, const struct record *record,
                     enum item_state state);
int notification_add_item(struct notification *notification, const struct item *item); /* copied */

/* Adds what `held` is about to a summary. What is said of an alert replaces what was said of it
 * before. */
void notification_absorb(struct notification *summary, const struct notification *held);

/* The alerts of `told` were told of at once: what the summary says of them is older. */
void notification_supersede(struct notification *summary, const struct notification *told);

/* What all its alerts have in common; NULL where it differs, or not all are shown. */
const char *notification_location(const struct notification *notification);
const char *notification_device(const struct notification *notification);
const char *notification_rule(const struct notification *notification);

uint64_t notification_count(const struct notification *notification); /* alerts, all states */
enum item_state notification_state(const struct notification *notification); /* the gravest */

bool notification_calls(const struct notification *notification); /* one of its alerts does */

#endif
