/* What driver.c (the link, the schedule, the rounds) and driver_write.c (writes) know of a bus. */
#ifndef DRIVER_STATE_H
#define DRIVER_STATE_H

#include "connection.h"
#include "driver.h"
#include "round.h"
#include "schedule.h"
#include "tally.h"

struct driver {
    const struct bus_settings *settings; /* borrowed */
    struct inbox *answers;               /* borrowed */
    void *owner;
    struct tally tally;
    struct connection connection;
    struct schedule schedule;
    /* One beside each of the schedule's groups. The schedule knows a unit by its first device
     * (breaker_of). */
    struct round *rounds;
    struct pace *paces;  /* borrowed; one beside each group too */
    uint16_t *cells;     /* owned; of one request: on a thousand stacks it would cost more */
    struct holes *holes; /* owned; of each unit, where it is the first of its address */
    bool stopped;
    bool link_untold; /* for want of memory, what follows: the link's last end or beginning */
    int link_result;
    char link_text[ANSWER_TEXT_SIZE];
    uint64_t writes; /* so far: tells what was read before a write from what was read after */
    uint64_t late_seen, missed_seen, skipped_seen; /* as far as they are counted */
};

struct schedule_unit *driver_scheduled(struct driver *driver, size_t unit);

/* What the end of any request means for the link, the unit and the counters. */
void driver_conclude(struct driver *driver, size_t unit, int result);

/* Hands the answer over to the loop; takes ownership. NULL, for want of memory, is counted. Returns
 * whether the loop will have it. */
bool driver_tell(struct driver *driver, struct answer *answer);

#endif
