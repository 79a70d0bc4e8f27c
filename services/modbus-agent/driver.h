/* What the thread of one bus does, one step at a time: it connects, reads what the schedule says,
 * writes what it is told and reads that back, and answers into an inbox. Blocking. */
#ifndef DRIVER_H
#define DRIVER_H

#include "answer.h"
#include "health.h"
#include "pace.h"
#include "settings.h"

#include <stdint.h>

struct driver;

struct driver_options {
    const struct bus_settings *settings; /* all borrowed but `known`, which is copied */
    const struct holes *known;           /* for each unit what it was found to refuse */
    struct health *health;               /* counters are raised, nothing else of it is used */
    struct pace *paces;                  /* of each group, unit by unit */
    struct inbox *answers;               /* where they go */
    void *owner;                         /* what they carry: see answer.h */
};

/* Returns 0 or -ENOMEM. */
int driver_open(struct driver **out, const struct driver_options *options);
void driver_close(struct driver *driver);

struct write_order {
    size_t unit;
    size_t actuator;
    uint16_t cells[OUTPUT_CELLS_MAX];
    int64_t expires_ms; /* not to be begun from then on; monotonic */
};

/* Writes an actuator's cells at once and reads them back, or a device's watchdog. Both end in the
 * answer that was made for them by answer_new_write(): taken over, and given to the loop without
 * fail, which waits for it. */
void driver_write(struct driver *driver, const struct write_order *order, struct answer *answer);
void driver_feed(struct driver *driver, uint16_t cell, struct answer *answer);

/* From now on each group's next round is told, whether it says something new or not. */
void driver_renew(struct driver *driver);

/* From now on nothing is sent: writes end as refused. */
void driver_stop(struct driver *driver);

/* Does the one thing that is due, a connect or a request, and returns `now_ms`; or nothing, and
 * returns when there will be something to do (INT64_MAX: never). */
int64_t driver_step(struct driver *driver, int64_t now_ms);

#endif
