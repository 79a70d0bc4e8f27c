/* The alerter's decisions: what comes in by topic goes in here with its time, and notifications
 * come out. Live service and replay drive the same. Pure: time is the wall clock, passed in.
 *
 * An alert is routed (route.h) into groups (group.h). A group waits a little for what belongs
 * together, then tells what is news, at most once in its interval; it repeats what nobody
 * acknowledged and escalates it. What is silenced, inhibited or in quiet hours is held for as long
 * as that lasts, and told then if it is still so; what was told before is taken back all the same
 * when it is over, except in quiet hours. Each state of an episode is told at most once: firing,
 * stale (data is missing; never taken for resolved), acknowledged, flapping, moved (its severity
 * or the configuration changed, and others are told now), and one end: resolved, or removed (its
 * message was deleted).
 */
#ifndef CORE_H
#define CORE_H

#include "notification.h"
#include "settings.h"
#include "silence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

struct core_handlers {
    /* `channel` is the place in the settings. Takes ownership. */
    void (*on_notification)(void *self, size_t channel, struct notification *notification);
};

/* Settings and handlers are borrowed. Silences of the configuration are in force. 0 or -ENOMEM. */
int core_open(struct core **out, const struct settings *settings,
              const struct core_handlers *handlers, void *self);
void core_close(struct core *core); /* NULL is ignored */

/* What was heard. `topic` names location, device and rule; all is copied. `known` takes the alert
 * into the picture as if it had been told already. What time alone decides up to `time_ms` is to be
 * done before, with core_tick(). Return 0, or -ENOMEM: then it is lost. */
int core_alert(struct core *core, const struct topic *topic, const struct alert *alert, bool known,
               int64_t time_ms);

/* Its retained message was deleted: over, but not resolved; told so to who was told that it fires.
 * -ENOENT where it is not known. */
int core_remove(struct core *core, const struct topic *topic, int64_t time_ms);

/* The broker may have changed its mind, since we were not there: what is active, and each silence
 * by topic, is in doubt until it is heard again. */
void core_doubt(struct core *core);

/* What still is will not be heard any more: such alerts are stale, told as that, and neither
 * repeated nor a reason to silence others until they are announced again; such silences are lifted.
 * Returns how many alerts. */
size_t core_give_up(struct core *core, int64_t time_ms);

/* `by` and `comment` may be NULL. -ENOENT where no such alert is active. */
int core_acknowledge(struct core *core, const struct topic *topic, const char *by,
                     const char *comment, int64_t time_ms);

/* Takes what it owns where it returns 0; -ENOMEM, or -ENOSPC at SILENCES_MAX. */
int core_silence(struct core *core, const struct silence *silence);
void core_lift(struct core *core, const char *name, int64_t time_ms); /* unknown ones are ignored */

int64_t core_next_ms(const struct core *core); /* INT64_MAX where time decides nothing */
void core_tick(struct core *core, int64_t time_ms);

/* What an alert is to the people who are told of it. */
enum core_life {
    CORE_FIRING,
    CORE_ACKNOWLEDGED,
    CORE_SILENCED,
    CORE_INHIBITED,
    CORE_QUIET, /* held in quiet hours by a route */
    CORE_FLAPPING,
    CORE_STALE,
    CORE_RESOLVED,
    CORE_LIVES
};
const char *core_life_name(enum core_life life);

struct core_stats {
    uint64_t alerts;      /* heard */
    uint64_t no_news;     /* of them: heard before, or late */
    uint64_t unrouted;    /* news that no route with a channel takes */
    uint64_t brief;       /* episodes that were over before they were told: held or too short */
    uint64_t forgotten;   /* alerts that had to go for want of room */
    uint64_t deleted;     /* their retained message was taken away */
    uint64_t lost_alerts; /* nobody announced them any more after a connect */
    uint64_t acknowledged;
    uint64_t held;                  /* notifications that a channel's limit held back */
    uint64_t lost;                  /* for want of memory */
    size_t known, groups, silences; /* now */
};
struct core_stats core_stats(const struct core *core);

/* How many of the alerts are in which life at this time. */
void core_count(const struct core *core, int64_t time_ms, size_t out[CORE_LIVES]);

/* What is known of the alert; NULL where nothing is. Borrowed until something is heard. */
const struct record *core_find(const struct core *core, const struct topic *topic);

/* Why an alert, if it fired now, would not be told by this route: CORE_SILENCED, CORE_INHIBITED,
 * CORE_QUIET, with a name of what holds it appended; CORE_FIRING where it would be. */
enum core_life core_would_hold(const struct core *core, const struct route *route,
                               const struct record *record, int64_t time_ms, struct buffer *why);

#endif
