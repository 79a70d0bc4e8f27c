/* What registers may mean: each place under every type and order, with how plausible that is in
 * view of all the others. Pure.
 *
 * A unit is taken to have one order for all its values, which lie one behind the other, with
 * registers between them that are none. Each way to divide the registers up so has a probability
 * (likelihood.h, and how common each type and order is); what is plausible about one value is the
 * share of all the ways that have it (forward-backward, as in hidden semi-Markov models). */
#ifndef GUESS_H
#define GUESS_H

#include "decode.h"
#include "expect.h"

#include <stddef.h>
#include <stdint.h>

/* Neighbouring registers that could be read. */
struct guess_run {
    const uint16_t *cells; /* borrowed */
    size_t n;
};

struct guess {
    size_t run;
    size_t at; /* the value begins with this cell of the run */
    struct encoding encoding;
    double number; /* as decode() reads it: may be no finite number */
    double plausibility;
};

struct guesses {
    struct guess *items; /* owned; by run, by place, the most plausible first */
    size_t n;
};

/* All that the runs of one unit may mean. Returns 0 or -ENOMEM. */
int guess(struct guesses *out, const struct guess_run *runs, size_t n_runs);
void guess_free(struct guesses *guesses);

/* A value that is what was expected of it. */
struct guess_pick {
    const struct guess *guess; /* borrowed */
    double divide;             /* number / divide is as expected: 1, 10, 100 or 1000 */
    double plausibility;       /* among all that are: adds up to 1 */
};

/* The best `max` of all that are as expected, the most plausible first. Returns how many. */
size_t guess_pick(struct guess_pick *out, size_t max, const struct guesses *guesses,
                  const struct expectation *expected);

/* "ABCD", "CDAB", "BADC" or "DCBA", of one register "AB" or "BA"; NULL where it has no order. */
const char *guess_order(const struct encoding *encoding);

#endif
