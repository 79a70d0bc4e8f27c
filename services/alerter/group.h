/* Groups of alerts that are told together, and the places of alerts in them. Pure.
 *
 * A group belongs to one route, and its alerts have in common what the route groups by. A record
 * has a member in each group that it is in. */
#ifndef GROUP_H
#define GROUP_H

#include "agenda.h"
#include "book.h"
#include "notification.h"
#include "route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOLD(state) (1u << (state))

#define GROUP_NEVER INT64_MIN

struct member {
    struct record *record;
    struct group *group;
    struct member *next_of_record;
    struct member *previous, *next; /* in the group */
    unsigned told;                  /* TOLD() of what was told in this episode */
    unsigned step;                  /* of escalation: how many were reached */
    uint32_t owed;                  /* channels that heard of it and of no end yet */
    enum alert_severity severity;   /* as it was told; once `told` */
    int64_t first_told_ms, told_ms; /* wall clock; once `told` */
    bool moved;                     /* it is routed elsewhere now: here only its end */
};

struct group {
    struct agenda_item moment; /* first: when it is to be looked at */
    const struct route *route;
    char *key; /* owned */
    char label[NOTIFICATION_GROUP_SIZE];
    struct member *first, *last;
    size_t n;
    int64_t news_ms;     /* from then on news may be told; INT64_MAX where there is none */
    int64_t notified_ms; /* when news was last told, or GROUP_NEVER */
    uint64_t forgotten;  /* alerts that went for want of room before they were told */
    size_t number;       /* in the state file; for who writes it */
};

struct groups { /* starts as `= {0}` */
    void *tree; /* of groups by key, search.h */
    struct agenda agenda;
    uint64_t made; /* numbers them, so that equal moments come in one known order */
    size_t n;
};

void groups_free(struct groups *groups); /* with all members */

/* The group of this record at this route, made where there is none. NULL: no memory. */
struct group *groups_get(struct groups *groups, const struct route *route,
                         const struct record *record);
struct group *groups_restore(struct groups *groups, const struct route *route, const char *label);
void groups_remove(struct groups *groups, struct group *group); /* one without members; frees it */

typedef void groups_fn(void *self, struct group *group);
void groups_each(const struct groups *groups, groups_fn *on_group, void *self);

/* Brings the moment forward to `at_ms`, or sets it. */
void groups_hasten(struct groups *groups, struct group *group, int64_t at_ms);
void groups_schedule(struct groups *groups, struct group *group, int64_t at_ms);

/* Whether the record, as it is, has in common what the group's route groups by. */
bool group_takes(const struct group *group, const struct record *record);

struct member *member_join(struct group *group, struct record *record); /* NULL: no memory */
struct member *member_find(const struct record *record, const struct group *group);
void member_leave(struct member *member); /* and frees it */

/* What is still to be told of the member's alert; false where nothing is. */
bool member_news(const struct member *member, enum item_state *out);

/* The channels that are to hear of this state. */
uint32_t member_channels(const struct member *member, enum item_state state);

/* These channels are told of this state. The end is owed to each by one member of the record. */
void member_note(struct member *member, enum item_state state, uint32_t channels);

/* What a moved member owes to channels of this one, this one owes from now on. Where all of them
 * know the alert as it is, nothing of it is told anew. */
void member_take_over(struct member *member, struct member *moved);

/* Its alert fired anew, began to flap or came to rest: what was told may be told again. */
void member_renew(struct member *member);

#endif
