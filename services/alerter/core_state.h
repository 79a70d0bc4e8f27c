/* What the core's own files share. */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "book.h"
#include "core.h"
#include "group.h"
#include "inhibit.h"
#include "limit.h"

struct core_channel {
    struct agenda_item moment; /* first: when the summary may go */
    struct limit limit;
};

struct telling { /* what is said of one member now */
    struct member *member;
    enum item_state state;
    enum notification_kind kind;
    uint32_t channels;
};

struct core {
    const struct settings *settings;
    const struct core_handlers *handlers;
    void *self;
    struct book *book;
    struct groups groups;
    struct silences silences;
    struct inhibitor *inhibitor;
    int64_t grace_ms;              /* when the next grace of an inhibition ends, or INT64_MAX */
    struct core_channel *channels; /* owned; as in the settings */
    struct agenda limits;          /* of channels */
    uint64_t serial;               /* of the last notification */
    int64_t time_ms;               /* the last one passed in */
    struct telling *tellings;      /* owned; for one flush */
    size_t n_tellings, tellings_capacity;
    struct core_stats stats;
};

/* core.c: news of the group may be told after `wait_ms`, and not before its interval has passed. */
void core_expect_news(struct core *core, struct group *group, int64_t wait_ms, int64_t time_ms);

void core_expect_record(struct core *core, const struct record *record, int64_t time_ms);
void core_look(struct core *core); /* core.c: at all groups, since something may be held no more */

/* core_route.c: puts the record, unless it is over, into the groups that it is routed to as it is.
 * Groups that it was in before another severity or configuration routed it elsewhere are told so,
 * and of its end. 0 or -ENOMEM. */
int core_route(struct core *core, struct record *record);
void core_leave(struct core *core, struct member *member); /* its group may go with it */

/* core_restore.c: after the state file was read, which may have been written with other routes.
 * Returns 0 or -ENOMEM. */
int core_rejoin(struct core *core);

/* core_restore.c: the clock went back; all that is to come comes as much earlier. */
void core_shift(struct core *core, int64_t back_ms);

/* core_hold.c: why a member's alert is not told now; CORE_FIRING where it may be. */
enum core_life core_hold(const struct core *core, const struct member *member,
                         enum item_state state, int64_t time_ms);

/* core_flush.c: tells what the group has to tell at this moment, and sets its next one; a group
 * that has ended is gone afterwards. */
void core_flush(struct core *core, struct group *group, int64_t time_ms);

/* core_send.c: names it, minds the channel's limit and hands it over. Takes ownership. */
void core_send(struct core *core, size_t channel, struct notification *notification,
               int64_t time_ms);
void core_send_summary(struct core *core, struct core_channel *channel, int64_t time_ms);
void core_plan_summary(struct core *core, struct core_channel *channel);

#endif
