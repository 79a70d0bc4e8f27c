/* A device's actuators on MQTT: the command subscription of one device, results to result/ and to the
 * response topic, states to state/. For agents; on the loop. */
#ifndef CONTROLS_H
#define CONTROLS_H

#include "actuator.h"
#include "device.h"
#include "health.h"
#include "mqtt.h"

struct controls;

/* `on_waiting` is called when a command was queued: the agent then asks controls_next(). */
typedef void controls_fn(void *self);

/* Subscribes to the device's commands. `settings`, an array, is borrowed. Returns 0 or -ENOMEM. */
int controls_open(struct controls **out, struct mqtt *mqtt, struct health *health,
                  struct device *device, const struct actuator_settings *settings, size_t n_settings,
                  controls_fn *on_waiting, void *self);
void controls_close(struct controls *controls);

/* The next command to write: the index of its actuator in `settings` and the value, borrowed until
 * controls_done(). Returns -1 where there is none. */
int controls_next(struct controls *controls, const struct value **out);
void controls_done(struct controls *controls, int index, enum command_outcome outcome,
                   const char *reason, struct value held);

void controls_observe(struct controls *controls, int index, struct value held);
void controls_offline(struct controls *controls);  /* rejects what is queued */
void controls_announce(struct controls *controls); /* states again: on link up */

#endif
