/* A device as the suite shows it: readings with their sequence, status and meta, under
 * root/location/device. For agents; on the loop. */
#ifndef DEVICE_H
#define DEVICE_H

#include "backlog.h"
#include "breaker.h"
#include "buffer.h"
#include "latest.h"
#include "mqtt.h"
#include "reading.h"
#include "topic.h"

enum device_state { DEVICE_UNKNOWN, DEVICE_ONLINE, DEVICE_DEGRADED, DEVICE_OFFLINE };

struct device;

/* Names are copied, the rest is borrowed. Returns 0 or -ENOMEM. */
int device_open(struct device **out, struct mqtt *mqtt, struct backlog *backlog,
                const char *location, const char *name);

/* Publishes "offline", reason "agent_stopped", or what device_part() was told. */
void device_close(struct device *device);

/* Before device_close(), where the agent goes on: `for_good` takes the birth document away, there
 * is no such device any more, and the reason is "removed", else "reconfigured". */
void device_part(struct device *device, bool for_good);

/* Takes the retained reading of a measurement that the device has no more out of the broker. */
void device_withdraw(struct device *device, const char *measurement);

const char *device_location(const struct device *device);
const char *device_name(const struct device *device);
enum device_state device_state(const struct device *device);

/* Publishes when state, reason or breaker differ from the last time; `since` is when the state
 * changed. `reason` is a short word or sentence, copied; "" where there is none. */
void device_set_state(struct device *device, enum device_state state, const char *reason,
                      enum breaker_state breaker, int64_t time_ms);

/* The birth document: JSON text, copied; published at once, where there is a broker, and on every
 * device_announce(). */
int device_set_meta(struct device *device, const char *json);

/* Publishes meta and status again: on every link up, since the broker may have lost them. */
void device_announce(struct device *device);

/* Numbers the reading (its `seq` is set here: one more than the last of that measurement), and
 * makes its time a later one than that reading's, or the store would keep but one of the two; then
 * publishes it, or keeps it while the broker is away. Returns 0 or what backlog_publish() does. */
int device_publish(struct device *device, const char *measurement, struct reading *reading);

/* As device_publish(), but what is collected of a measurement up to device_flush() goes out in one
 * message, as an array; of itself when that is full. device_publish() flushes too. */
int device_collect(struct device *device, const char *measurement, struct reading *reading);
int device_flush(struct device *device, const char *measurement);

/* Takes note of a reading that says nothing new and is not published: for device_latest() alone. */
void device_note(struct device *device, const char *measurement, const struct reading *reading);

/* From now on they are kept: of each value a copy, for those who ask. */
void device_keep_latest(struct device *device);

/* The last good values of all that was published or noted, by the monotonic clock. Borrowed. */
const struct latest *device_latest(const struct device *device);

#endif
