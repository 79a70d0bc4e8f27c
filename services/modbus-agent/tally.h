/* What the thread of a bus counts. Names as they stand in health. */
#ifndef TALLY_H
#define TALLY_H

#include "health.h"

struct tally {
    health_counter
        *requests; /* sent, each of which ended as one of the next four, or the link went */
    health_counter *answers;
    health_counter *exceptions;
    health_counter *timeouts;
    health_counter *bad_answers;
    health_counter *late_replies;
    health_counter *missed_periods;  /* the bus was busy */
    health_counter *skipped_periods; /* the unit or the link was away */
    health_counter *connects;
    health_counter *connect_failures;
    health_counter *losses; /* of the link, once it was there */
    health_counter *writes;
    health_counter *unchanged; /* rounds that said nothing new */
    health_counter *dropped;   /* answers for which there was no room in the inbox or in memory */
};

void tally_open(struct tally *out, struct health *health);
void tally_result(const struct tally *tally, int result); /* of one request, as in bus.h */

/* Raises the counter by what a total has risen since it was last `seen`. */
void tally_total(health_counter *counter, uint64_t total, uint64_t *seen);

#endif
