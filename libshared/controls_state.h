/* What controls.c (commands in, results and states out) and controls_watch.c (what forbids, and
 * what takes to a safe value) know of a device's actuators. */
#ifndef CONTROLS_STATE_H
#define CONTROLS_STATE_H

#include "controls.h"
#include "heartbeat.h"
#include "interlock.h"
#include "ledger_file.h"
#include "log.h"
#include "watchdog.h"

#define CONTROLLERS_MAX 8 /* different ones that a device listens for */

struct control {
    struct actuator *actuator;
    struct interlock *interlock; /* NULL: none */
    struct failsafe failsafe;
    const struct heartbeat *heartbeat; /* borrowed from `heartbeats`; NULL: none */
    uint64_t turn;                     /* when its command was queued: the oldest goes first */
};

struct controls {
    struct mqtt *mqtt;     /* borrowed */
    struct health *health; /* borrowed */
    struct device *device; /* borrowed */
    controls_fn *on_waiting;
    void *self;
    uint64_t turns;
    struct loop_timer *timer;
    struct ledger_file *ledger; /* NULL: none */
    char *guard_path;           /* owned; NULL: none */
    struct heartbeat *heartbeats[CONTROLLERS_MAX];
    int64_t broker_ms;  /* when the broker was last there */
    int64_t command_ms; /* when the last command came */
    bool leaving;
    struct watchdog watchdog;
    const struct heartbeat *watchdog_heartbeat; /* borrowed from `heartbeats`; NULL: none */
    controls_fn *on_feed;
    bool feeding;              /* it is under way */
    const char *feed_failure;  /* of the last one, static; NULL: none */
    const char *feed_withheld; /* likewise */
    struct log_limit refused;
    struct buffer text; /* kept for its memory */
    size_t n_controls;
    struct control controls[];
};

/* Opens what watches over an actuator, what feeds the device's watchdog (NULL: none), and begins
 * with all of it. Return 0 or -errno. */
int controls_watch(struct controls *controls, struct control *control);
int controls_watch_device(struct controls *controls, const struct watchdog_settings *watchdog);
int controls_watch_start(struct controls *controls);
void controls_watch_stop(struct controls *controls);

/* What is missing is judged by; of a controller where there is a heartbeat. */
struct failsafe_signs controls_signs(const struct controls *controls,
                                     const struct heartbeat *heartbeat);

void controls_feed(struct controls *controls); /* to be called often */

/* As struct actuator_handlers wants it. */
const char *controls_forbid(void *self, const struct actuator *actuator, const char **why);

/* What is kept of the past in a directory, "" or NULL: nothing. What cannot be kept is logged, and
 * commands are carried out all the same. */
void controls_remember(struct controls *controls, const char *state_dir);
void controls_forget(struct controls *controls); /* frees, does not delete */

/* As struct actuator_handlers wants them. */
void controls_on_record(void *self, const struct actuator *actuator,
                        const struct command_result *result);
void controls_on_history(void *self, const struct actuator *actuator);

void controls_count(struct controls *controls, const char *outcome,
                    const char *reason); /* "commands.OUTCOME.REASON"; the reason may be NULL */

/* NULL where there is no actuator of that name. */
struct control *controls_find(struct controls *controls, const char *name);
bool controls_device_is_there(const struct controls *controls);

#endif
