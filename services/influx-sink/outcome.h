/* What becomes of the readings in one batch, by series, until the batch is done with and the ledger
 * gets it. Pure.
 *
 * Readings are stored unless they are buried: so are those without a good value, of which there is
 * nothing to store. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "account.h"
#include "message.h"

struct outcome {
    struct account *account; /* borrowed; NULL: nobody keeps a ledger of this target */
    const char *root;        /* borrowed */
    uint32_t n[ACCOUNT_SLOTS][ACCOUNT_ENDS];
};

/* Whether the readings of that record are to be taken. They are not where the ledger has them
 * already: a process was killed after it had settled them and before it could move the cursor. */
bool outcome_wants(const struct outcome *outcome, uint64_t record);

/* Of this many readings of a message with that topic, so many are dead and the rest is stored. */
void outcome_take(struct outcome *outcome, const struct topic *topic, size_t n_readings,
                  size_t n_dead);

/* A reading of that record's message, taken as stored, is dead. */
void outcome_bury(struct outcome *outcome, const struct message *message, uint64_t record);

/* Settles all that was taken, of the records [from, to). */
void outcome_settle(struct outcome *outcome, uint64_t from, uint64_t to);
void outcome_clear(struct outcome *outcome); /* the batch is read again */

#endif
