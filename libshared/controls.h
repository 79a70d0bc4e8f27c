/* A device's actuators on MQTT: the command subscription of one device, results to result/ and to
 * the response topic, states to state/. For agents; on the loop. */
#ifndef CONTROLS_H
#define CONTROLS_H

#include "actuator.h"
#include "device.h"
#include "health.h"
#include "mqtt.h"
#include "watchdog.h"

struct controls;

/* `on_waiting` is called when a write was queued, by a command or a fail-safe: the agent then asks
 * controls_next(). */
typedef void controls_fn(void *self);

struct controls_options {
    struct mqtt *mqtt; /* all borrowed */
    struct health
        *health; /* gets "commands.received", "commands.ok", "commands.rejected.retained"… */
    struct device *device;
    const struct actuator_settings *settings; /* array of n_settings */
    size_t n_settings;
    const char *state_dir; /* where results and the guards' times are kept over a restart; "" or
                              NULL: nowhere */
    const struct watchdog_settings *watchdog; /* NULL: the device has none */
    controls_fn *on_feed; /* it is to be fed; controls_fed() says how that went; else as above */
};

/* Subscribes to the device's commands. Returns 0, -ENOMEM or -ENAMETOOLONG. */
int controls_open(struct controls **out, const struct controls_options *options,
                  controls_fn *on_waiting, void *self);
void controls_close(struct controls *controls);

/* The next command to write, the one that waited longest: the index of its actuator in `settings`
 * and the value, borrowed until controls_done(). Returns -1 where there is none. */
int controls_next(struct controls *controls, const struct value **out);
/* Of the command that controls_next() gave: as actuator_expiry_ms(). */
int64_t controls_expiry_ms(const struct controls *controls, int index);
/* A sentence for people, copied into the result of the write in flight; before controls_done(). */
void controls_explain(struct controls *controls, int index, const char *message);
void controls_done(struct controls *controls, int index, enum command_outcome outcome,
                   const char *reason, struct value held);

void controls_observe(struct controls *controls, int index, struct value held);
void controls_offline(struct controls *controls); /* rejects what is queued */

/* Before controls_close(), where the agent goes on without the device or with other settings for
 * it: what is queued is rejected, and the states of all but the actuators of `stay` are taken out
 * of the broker. */
void controls_part(struct controls *controls, const struct actuator_settings *stay, size_t n_stay);

/* The wire to the device is there again: safe values that are owed to it are queued at once, ahead
 * of whatever tells that the device is. */
void controls_wire_up(struct controls *controls);

/* How feeding the device's watchdog ended: NULL, or the contract's reason, static. Counted as
 * "watchdog.fed" and "watchdog.failed.timeout"…; what was not to be fed as "watchdog.withheld…". */
void controls_fed(struct controls *controls, const char *failure);
/* Of the last time that the device was there to be fed; NULL: none. */
const char *controls_feed_failure(const struct controls *controls);

/* Before the end: rejects what is queued and what comes from now on, and takes to their safe values
 * those whose fail-safe says so. Settled is when that is confirmed, or the device is not there, and
 * nothing is in flight. */
void controls_leave(struct controls *controls);
bool controls_settled(const struct controls *controls);

void controls_announce(struct controls *controls); /* states again: on link up */

#endif
