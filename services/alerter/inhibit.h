/* Inhibition: while one alert is active, others that follow from it are not told; a broken gateway
 * silences its devices. Pure. */
#ifndef INHIBIT_H
#define INHIBIT_H

#include "book.h"
#include "match.h"

#include <stddef.h>

struct inhibit_rule {
    struct match source, target;
    unsigned equal; /* ROUTE_BY_…: what both must have in common */
};

struct inhibitor;

/* The rules are borrowed. Returns 0 or -ENOMEM. */
int inhibitor_open(struct inhibitor **out, const struct inhibit_rule *rules, size_t n_rules);
void inhibitor_close(struct inhibitor *inhibitor); /* NULL is ignored */

/* The record has changed, or is about to go (`gone`); it is borrowed until then. Returns 0 or
 * -ENOMEM, and then it may inhibit nothing. */
int inhibitor_update(struct inhibitor *inhibitor, const struct record *record, bool gone);

/* An active alert that inhibits this one, NULL where there is none. What is both source and target
 * of a rule is not inhibited by it, so that no two alerts can silence each other. */
const struct record *inhibitor_find(const struct inhibitor *inhibitor, const struct record *record);

#endif
