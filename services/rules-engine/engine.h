/* From readings to decisions: keeps the picture, asks the rules that read what has changed, and
 * tells what is to be done through the handlers. Pure: time passed in, no I/O.
 *
 * A retained reading fills the picture but decides nothing, and neither does time alone after it,
 * until a live one comes. A reading older than the last one of its series changes nothing. */
#ifndef ENGINE_H
#define ENGINE_H

#include "alert.h"
#include "command.h"
#include "reading.h"
#include "settings.h"
#include "value.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct picture;

struct engine_place {
    const char *location, *device;
};

struct engine_command {
    struct engine_place place;
    const char *actuator;
    const char *rule;
    const char *id; /* the same when the same command is given again */
    struct value value;
    int64_t ttl_ms;
    int64_t time_ms;
};

/* What has to survive a restart of one rule for one device. */
struct engine_memory {
    const char *rule;
    struct engine_place place;
    bool active;
    bool stale;
    bool waiting; /* a wait is under way since `since_ms`: `for`, or of an active one `clear_for` */
    uint64_t episode;
    int64_t since_ms;
    bool owing;       /* not all commands of this change were answered: given again after a crash */
    bool changed;     /* the rule means something else than when this became active */
    bool by_hand;     /* of an on_off */
    uint64_t meaning; /* of the rule, a hash; 0: not known */
    bool alerting;    /* its alert fires */
    bool failed;      /* the alert of a failed command fires */
    enum alert_severity severity; /* of both */
    uint64_t failed_episode;      /* of the latter */
    int64_t fired_ms, cleared_ms; /* last; 0: never. See engine_remember() */
    bool controls;                /* of a pid: the next two are something */
    struct pid pid;
    bool commanded; /* of a pid: its output `said`, last */
    double said;
    bool announced; /* this is the retained alert itself, so that the broker knows it */
};

/* Everything is borrowed for the call. No function of the engine may be called here. */
struct engine_handlers {
    /* A rule has switched: called before what follows from it. Once more when all its commands have
     * been answered: after a crash in between they are given again, under the same ids. Also when
     * a wait ends without a switch, and from engine_keep(). */
    void (*on_memory)(void *self, const struct engine_memory *memory);
    void (*on_command)(void *self, const struct engine_command *command);
    void (*on_alert)(void *self, const struct engine_place *place, const struct alert *alert);
    void (*on_reading)(void *self, const struct engine_place *place, const char *measurement,
                       const char *derived, const struct reading *reading);
    /* So many readings of the device never came; NULL: nobody wants to know. */
    void (*on_missing)(void *self, const struct engine_place *place, const char *measurement,
                       uint64_t missing);
};

/* Settings and handlers are borrowed. Returns 0 or -ENOMEM. */
int engine_open(struct engine **out, const struct settings *settings,
                const struct engine_handlers *handlers, void *self);
void engine_close(struct engine *engine);

/* Whether a message of this device is of any use here; counts those that are not. */
bool engine_hears(struct engine *engine, const struct engine_place *place);

/* Takes a reading of a device's measurement. Returns 0, also where it was old or a duplicate, which
 * is counted; -ENOMEM or -E2BIG where it could not be kept. */
int engine_reading(struct engine *engine, const struct engine_place *place, const char *measurement,
                   const struct reading *reading, bool retained, int64_t time_ms);

/* A device went offline (or came back) at `since_ms`; offline, all that is known of it is unknown.
 */
int engine_status(struct engine *engine, const struct engine_place *place, bool offline,
                  int64_t since_ms, int64_t time_ms);

/* The result of a command, by its id. Returns whether it was one of ours. */
bool engine_result(struct engine *engine, const char *id, enum command_outcome outcome,
                   const char *reason, int64_t time_ms);

/* There may be nobody who answers commands: a command without an answer counts as carried out. */
void engine_unheard(struct engine *engine);

/* Whether messages can come at all, as of now; before the first call they cannot. Only what could
 * have been heard counts as silence. What alerts are active then and do not come as retained ones
 * within ENGINE_CONFIRM_MS are told again: the broker may have forgotten them. */
#define ENGINE_CONFIRM_MS 5000
void engine_listen(struct engine *engine, bool listening, int64_t time_ms);

/* A device is said to have this measurement, whether or not it was ever read: a rule that fires on
 * silence waits for it from now on. 0, -ENOMEM or -E2BIG. */
int engine_announced(struct engine *engine, const struct engine_place *place,
                     const char *measurement, int64_t time_ms);

/* Gives back what was true before the restart, without deciding anything; the later of several
 * memories holds, and none does after a live reading. An alert that the memories say was never
 * announced, since a crash came in between, is told at the first live reading. Returns 0; -ENOENT
 * where no rule of that name selects the device, or the device is another shard's; -ENOMEM.
 *
 * A wait goes on where its condition is true at the first live reading, unless a retained one says
 * otherwise before, or it comes too late: engine_slept().
 *
 * A rule that means something else by now (another condition, time or action; not another text or
 * severity) begins anew: its waits do, and where it was active it stays so only if its `when` is
 * true at the first live reading, otherwise it is switched back, and its alert resolved, as if
 * `until` were. Cool-down, count and least times still hold: they are for the actuator.
 *
 * Alerts whose rule is gone, selects the device no more or alerts no more are resolved once
 * messages can go out, and again after the next restart unless engine_alert_came() in between. */
int engine_restore(struct engine *engine, const struct engine_memory *memory, int64_t time_ms);

/* Nobody has listened since `since_ms`: the end of the process before. Where the first live reading
 * comes later than the rule's `stale_after` from then (30 s where that is 0), a wait or a pid
 * begins anew; until then what was heard last would still have been taken for true. The same holds
 * where engine_listen() says that the broker was away. */
void engine_slept(struct engine *engine, int64_t since_ms);

/* An alert of this name came back live from the broker, resolved: it is there. */
void engine_alert_came(struct engine *engine, const struct engine_place *place, const char *name);

/* Tells on_memory() of what may be told a little later: waits that go on, the steps of a pid. To be
 * called every second or so. */
void engine_keep(struct engine *engine);

/* All that engine_restore() would want to be told, in the order it came up, in parts: goes on from
 * `cursor` (`= {0}` first), looks at `n` rules' states and returns whether there are more. One with
 * `max_per_hour` comes once for each time that it fired in the last hour. */
struct engine_cursor {
    bool begun;
    const struct instance *next;
};
typedef void engine_memory_fn(void *self, const struct engine_memory *memory);
bool engine_remember(const struct engine *engine, struct engine_cursor *cursor, size_t n,
                     engine_memory_fn *on_memory, void *self);

/* What it knows of all devices; borrowed. For window_memory.h. */
struct picture *engine_picture(struct engine *engine);

/* When engine_tick() has something to do; RULE_NEVER where nothing. */
int64_t engine_next_ms(const struct engine *engine);
void engine_tick(struct engine *engine, int64_t time_ms);

struct engine_stats {
    uint64_t others;     /* messages passed over: of devices of other shards */
    uint64_t readings;   /* live ones taken */
    uint64_t retained;   /* retained ones taken */
    uint64_t old;        /* older than the last of their series */
    uint64_t missing;    /* gaps in the numbers: never came; an old one may have been among them */
    uint64_t duplicates; /* the last of their series once more */
    uint64_t steps;      /* rules and derived values evaluated */
    uint64_t held;       /* of these, rules kept from firing by cool_down or max_per_hour */
    uint64_t unknown;    /* of these, rules whose condition was not known */
    uint64_t commands;
    uint64_t retried; /* of these, given again */
    uint64_t failed;  /* of these, come to nothing */
    uint64_t alerts;
    uint64_t ended; /* of these, resolved because their rule is gone or changed */
    uint64_t derived;
    uint64_t unknown_values; /* commands not given because their value was unknown */
    uint64_t no_memory;
    uint64_t instances; /* now: rules and derived values times devices */
    uint64_t active;    /* now: rules that are active */
};
struct engine_stats engine_stats(const struct engine *engine);

#endif
