/* What the thread of one bus does, one step at a time: it connects, reads what the schedule says,
 * writes what it is told and reads that back, and answers into an inbox. Blocking. */
#ifndef DRIVER_H
#define DRIVER_H

#include "answer.h"
#include "health.h"
#include "settings.h"

#include <stdint.h>

struct driver;

/* All borrowed but `known`, which is copied: for each unit what it was found to refuse. Counters of
 * `health` are raised, nothing else of it is used. Returns 0 or -ENOMEM. */
int driver_open(struct driver **out, const struct bus_settings *settings, const struct holes *known,
                struct health *health, struct inbox *answers);
void driver_close(struct driver *driver);

/* Writes an actuator's cells at once and reads them back; ends in an ANSWER_WRITE. */
void driver_write(struct driver *driver, size_t unit, size_t actuator, const uint16_t *cells);

/* Writes a device's watchdog at once; ends in an ANSWER_FEED. */
void driver_feed(struct driver *driver, size_t unit, uint16_t cell);

/* Does the one thing that is due, a connect or a request, and returns `now_ms`; or nothing, and
 * returns when there will be something to do (INT64_MAX: never). */
int64_t driver_step(struct driver *driver, int64_t now_ms);

#endif
