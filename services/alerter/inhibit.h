/* Inhibition: while one alert is active, and for a grace after it, others that follow from it are
 * not told; a broken gateway silences its devices, which need a moment to say that they are back.
 * Pure: time is the wall clock, passed in. */
#ifndef INHIBIT_H
#define INHIBIT_H

#include "book.h"
#include "match.h"

#include <stddef.h>

struct inhibit_rule {
    struct match source, target;
    unsigned equal;   /* ROUTE_BY_…: what both must have in common */
    int64_t grace_ms; /* how long it goes on after the source is over */
};

struct inhibitor;

/* The rules are borrowed. Returns 0 or -ENOMEM. */
int inhibitor_open(struct inhibitor **out, const struct inhibit_rule *rules, size_t n_rules);
void inhibitor_close(struct inhibitor *inhibitor); /* NULL is ignored */

/* The record has changed; it is borrowed until it goes. Returns 0 or -ENOMEM, and then it may
 * inhibit nothing. */
int inhibitor_update(struct inhibitor *inhibitor, const struct record *record, int64_t time_ms);
void inhibitor_forget(struct inhibitor *inhibitor, const struct record *record); /* it goes */

/* When the next grace ends; INT64_MAX where none is running. */
int64_t inhibitor_next_ms(const struct inhibitor *inhibitor, int64_t time_ms);

/* An alert that inhibits this one, NULL where there is none. What is both source and target of a
 * rule is not inhibited by it, so that no two alerts can silence each other. */
const struct record *inhibitor_find(const struct inhibitor *inhibitor, const struct record *record,
                                    int64_t time_ms);

#endif
