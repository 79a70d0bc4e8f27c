/* What an actuator knows of itself. For actuator.c (what comes in) and actuator_write.c (what goes
 * out to the device and what is known of it). Pure. */
#ifndef ACTUATOR_STATE_H
#define ACTUATOR_STATE_H

#include "actuator.h"
#include "guard.h"
#include "ledger.h"
#include "pending.h"

#define ACTUATOR_MESSAGE_SIZE 129

struct actuator {
    const struct actuator_settings *settings;
    struct actuator_handlers handlers;
    void *self;
    struct ledger *ledger;
    struct guard guard;
    struct pending slots[2];
    struct pending *queued; /* either points to a slot or is NULL */
    struct pending *in_flight;
    char message[ACTUATOR_MESSAGE_SIZE];
    int64_t stamped_ms; /* wall clock: the last result's */

    const char *cause; /* of the fail-safe in force, static; NULL: mode normal */
    bool forcing;      /* its safe value is not confirmed yet */
    int64_t forced_ms; /* since when */
    int64_t force_ms;  /* when to try that again */
    unsigned n_failed; /* tries of it */

    bool known;        /* the members below say something */
    struct value held; /* owned */
    int64_t held_ms;
    char held_source[COMMAND_SOURCE_SIZE];
    char held_id[COMMAND_ID_SIZE];
};

/* What is known of the device; VALUE_NONE where nothing is. Borrowed. */
struct value actuator_held(const struct actuator *actuator);

/* Ends a command that was accepted: remembers its result and tells everybody who asked. The reason
 * is lost. */
void actuator_answer(struct actuator *actuator, struct pending *pending,
                     struct command_result *result);

/* Ends a command that was queued and not written. */
void actuator_end_queued(struct actuator *actuator, enum command_outcome outcome,
                         const char *reason, const char *message, int64_t now_ms, int64_t time_ms);

/* The time of a result that comes now: each has its own, since a store tells them apart by it. */
int64_t actuator_stamp(struct actuator *actuator, int64_t time_ms);

/* An empty slot, which is then the queued one. */
struct pending *actuator_slot(struct actuator *actuator);

/* The contract's reason why the device must not be set to this now, with a sentence in *why; NULL
 * where it may. */
const char *actuator_forbid(const struct actuator *actuator, const struct value *wanted,
                            int64_t now_ms, const char **why);

#endif
