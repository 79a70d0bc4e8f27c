/* The life of commands to one actuator, the same for every agent: retained? known? expired? seen?
 * valid? -> queue -> write -> read back -> result -> state. Pure: time passed in, no I/O; what is
 * to be done is told through the handlers.
 *
 * The agent calls actuator_offer() for each message on the command topic and, when its wire is
 * free, actuator_next(); it writes the value, reads it back, and reports actuator_done(). */
#ifndef ACTUATOR_H
#define ACTUATOR_H

#include "actuator_settings.h"
#include "command.h"

#include <stdbool.h>
#include <stdint.h>

#define ACTUATOR_LEDGER 64 /* last ids remembered, each with its result */

struct actuator;

struct actuator_handlers {
    /* A command has ended. Response topic and correlation are the request's, NULL where it had
     * none. */
    void (*on_result)(void *self, const struct actuator *actuator,
                      const struct command_result *result, const char *response_topic,
                      const void *correlation, size_t correlation_size);
    /* The state changed or was confirmed. */
    void (*on_state)(void *self, const struct actuator *actuator,
                     const struct command_state *state);
    /* Whether something beyond the actuator itself forbids to leave its safe value or off: the
     * contract's reason and a sentence in *why, static, or NULL. May be NULL. */
    const char *(*forbid)(void *self, const struct actuator *actuator, const char **why);
    /* A command with an id begins to be written, as if it had failed with "timeout", or has ended:
     * for actuator_restore() after a restart. May be NULL. */
    void (*on_record)(void *self, const struct actuator *actuator,
                      const struct command_result *result);
    /* actuator_history() changed. May be NULL. */
    void (*on_history)(void *self, const struct actuator *actuator);
};

/* Settings are borrowed. Returns 0 or -ENOMEM. */
int actuator_open(struct actuator **out, const struct actuator_settings *settings,
                  const struct actuator_handlers *handlers, void *self, int64_t now_ms);
void actuator_close(struct actuator *actuator);
const struct actuator_settings *actuator_settings(const struct actuator *actuator);

struct actuator_request {
    const void *payload;
    size_t size;
    bool retained;
    uint32_t expiry_s;          /* MQTT 5 message expiry; 0 is none */
    const char *response_topic; /* borrowed, copied where needed; NULL where none */
    const void *correlation;
    size_t correlation_size;
};

/* Takes one message. `device_online` false rejects with device_offline. A command whose id was
 * answered before gets the same answer with the reason "duplicate"; one whose id is still being
 * carried out gets it when that ends. What the guard or `forbid` refuses is refused here, and again
 * just before the write. */
void actuator_offer(struct actuator *actuator, const struct actuator_request *request,
                    bool device_online, int64_t now_ms, int64_t time_ms);

/* The value to write now, or NULL. Ends what expired or became forbidden on the way. From here to
 * actuator_done() the command is in flight and no other is given out. Borrowed until then. */
const struct value *actuator_next(struct actuator *actuator, int64_t now_ms, int64_t time_ms);

/* From when on the command in flight must not be begun any more, for an agent that queues it once
 * more; monotonic, INT64_MAX where that never is. Then it ends as COMMAND_EXPIRED. */
int64_t actuator_expiry_ms(const struct actuator *actuator);
bool actuator_waiting(const struct actuator *actuator); /* actuator_next() may have something */

/* A sentence for people that goes into the result of the write in flight. Copied, cut at 128 bytes.
 */
void actuator_explain(struct actuator *actuator, const char *message);

/* How the write in flight ended: outcome ok with the value that was read back, or failed with one
 * of the contract's reasons. `held` may be VALUE_NONE where it is not known. */
void actuator_done(struct actuator *actuator, enum command_outcome outcome, const char *reason,
                   struct value held, int64_t now_ms, int64_t time_ms);

/* What a poll found in the device: publishes the state, source "device", where it differs from the
 * last one. Ignored while a write is in flight, since nobody knows which of the two came first, and
 * where the value is not of the actuator's type. */
void actuator_observe(struct actuator *actuator, struct value held, int64_t now_ms,
                      int64_t time_ms);

/* Takes it to its safe value, past the guard, ahead of what is queued, until it is confirmed; with
 * "hold", or where none is declared, only the state says it. `cause` is static: "broker_lost"; the
 * state's source becomes "failsafe:broker_lost", its mode "failsafe" until a new command was
 * carried out. */
void actuator_force(struct actuator *actuator, const char *cause, int64_t now_ms, int64_t time_ms);

/* Has the next actuator_tick() try again at once, where a safe value is owed. */
void actuator_force_now(struct actuator *actuator, int64_t now_ms);

/* To be called often: what was on for too long is forced ("max_on"), and what is forced and not
 * confirmed is queued again, while the device is there. */
void actuator_tick(struct actuator *actuator, bool device_online, int64_t now_ms, int64_t time_ms);
int64_t actuator_owed_ms(const struct actuator *actuator,
                         int64_t now_ms); /* for how long it is forced; 0: it is not */
bool actuator_settled(const struct actuator *actuator); /* nothing queued, in flight or forced */
bool actuator_in_flight(const struct actuator *actuator);

/* On, on its way there, or not known. */
bool actuator_may_be_on(const struct actuator *actuator);

/* Takes a result of an earlier process into the ledger. Copied. */
void actuator_restore(struct actuator *actuator, const struct command_result *result);

/* What its guard knows of the past, and what that of an earlier process knew: as guard_history()
 * and guard_restore(). */
bool actuator_history(const struct actuator *actuator, struct guard_history *out, int64_t now_ms,
                      int64_t time_ms);
void actuator_restore_history(struct actuator *actuator, const struct guard_history *history,
                              int64_t now_ms, int64_t time_ms);

/* The queued command, if any, is rejected with device_offline. */
void actuator_offline(struct actuator *actuator, int64_t now_ms, int64_t time_ms);

/* Tells the last state again through on_state, where one is known: on link up. */
void actuator_announce(struct actuator *actuator);

/* A rejected result for a name that is no actuator ("unknown_actuator"), in the same form. */
void actuator_reject_unknown(const char *name, const struct actuator_request *request,
                             int64_t time_ms, const struct actuator_handlers *handlers, void *self);

#endif
