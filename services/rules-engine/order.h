/* Commands that wait for their result: kept until the agent has answered, given again while that is
 * safe and the rule still wants it, and an alert, named after the rule with SETTINGS_FAILED behind
 * it, where they came to nothing. Pure.
 *
 * The id of a command is made of the rule and device, the moment and the episode of the edge, so
 * that it is the same when the same command is given again after a crash: the agent's ledger then
 * writes it once. */
#ifndef ORDER_H
#define ORDER_H

#include "agenda.h"
#include "command.h"
#include "engine.h"
#include "instance.h"

#define ORDER_ANSWER_MS 5000 /* given to the agent beyond the command's own ttl */
#define ORDER_BUCKETS 256

struct orders { /* starts as `= {0}` */
    struct agenda agenda;
    struct order *buckets[ORDER_BUCKETS]; /* by id */
    size_t n;
    uint64_t given;
    bool unheard; /* nobody may be there to answer: what is not answered counts as done */
};
void orders_free(struct orders *orders);

/* The agenda's next moment; RULE_NEVER. */
int64_t orders_next_ms(const struct orders *orders);

/* Gives the command of an action (`index` among those of the edge), its value borrowed. */
void order_give(struct engine *engine, struct instance *instance, const struct action *action,
                unsigned index, struct value value);

/* The rule has switched: what it wanted before is no longer waited for. */
void orders_forget(struct engine *engine, struct instance *instance);

/* Answers that did not come, and repeats that are due. */
void orders_tick(struct engine *engine);

/* Whether it was ours; see engine_result(). */
bool orders_answered(struct engine *engine, const char *id, enum command_outcome outcome,
                     const char *reason);

#endif
