/* What goes out to the device, and what is known of it. */
#include "actuator_state.h"

#include <stdio.h>
#include <string.h>

#define FORCE_AGAIN_MS 1000

bool actuator_waiting(const struct actuator *actuator)
{
    return actuator->queued && !actuator->in_flight;
}

/* Put down before the write, so that after a crash in the midst of it nobody writes it again. */
static void record_start(struct actuator *actuator, const struct command *command, int64_t time_ms)
{
    struct command_result result = {.id = command->id,
                                    .outcome = COMMAND_FAILED,
                                    .reason = "timeout",
                                    .wanted = command->value,
                                    .ts_ms = time_ms,
                                    .source = command->source};

    if (actuator->handlers.on_record && command->id[0] != '\0')
        actuator->handlers.on_record(actuator->self, actuator, &result);
}

/* Ends what was queued and must not be written any more. */
static void drop_forbidden(struct actuator *actuator, int64_t now_ms, int64_t time_ms)
{
    struct pending *pending = actuator->queued;
    const char *why = NULL;
    const char *reason;

    if (!pending || pending->forced)
        return;
    if (pending->expires_ms <= now_ms) {
        actuator_end_queued(actuator, COMMAND_EXPIRED, NULL, "waited too long for its turn", now_ms,
                            time_ms);
        return;
    }
    reason = actuator_forbid(actuator, &pending->value, now_ms, &why);
    if (reason)
        actuator_end_queued(actuator, COMMAND_REJECTED, reason, why, now_ms, time_ms);
}

const struct value *actuator_next(struct actuator *actuator, int64_t now_ms, int64_t time_ms)
{
    if (!actuator_waiting(actuator))
        return NULL;
    drop_forbidden(actuator, now_ms, time_ms);
    if (!actuator->queued)
        return NULL;
    actuator->in_flight = actuator->queued;
    actuator->queued = NULL;
    actuator->in_flight->started_ms = now_ms;
    actuator->message[0] = '\0';
    record_start(actuator, &actuator->in_flight->command, time_ms);
    return &actuator->in_flight->value;
}

int64_t actuator_expiry_ms(const struct actuator *actuator)
{
    const struct pending *pending = actuator->in_flight;

    return pending && !pending->forced ? pending->expires_ms : INT64_MAX;
}

void actuator_explain(struct actuator *actuator, const char *message)
{
    snprintf(actuator->message, sizeof actuator->message, "%s", message);
}

void actuator_announce(struct actuator *actuator)
{
    struct command_state state = {.ts_ms = actuator->held_ms,
                                  .value = actuator_held(actuator),
                                  .source = actuator->held_source[0] ? actuator->held_source : NULL,
                                  .command_id = actuator->held_id,
                                  .failsafe = actuator->cause != NULL,
                                  .dry_run = actuator->settings->dry_run};

    if (actuator->known || actuator->cause)
        actuator->handlers.on_state(actuator->self, actuator, &state);
}

static void credit(struct actuator *actuator, const char *source, const char *id, int64_t time_ms)
{
    actuator->held_ms = time_ms;
    snprintf(actuator->held_source, sizeof actuator->held_source, "%s", source);
    snprintf(actuator->held_id, sizeof actuator->held_id, "%s", id);
    actuator_announce(actuator);
}

/* Without memory for a text the last state stays. */
static void hold(struct actuator *actuator, const struct value *value, const char *source,
                 const char *id, int64_t time_ms)
{
    struct value copy;

    if (value_copy(&copy, value) != 0)
        return;
    value_free(&actuator->held);
    actuator->held = copy;
    actuator->known = true;
    credit(actuator, source, id, time_ms);
}

static void see(struct actuator *actuator, const struct value *held, int64_t now_ms)
{
    if (guard_see(&actuator->guard, held, now_ms) && actuator->handlers.on_history)
        actuator->handlers.on_history(actuator->self, actuator);
}

void actuator_observe(struct actuator *actuator, struct value held, int64_t now_ms, int64_t time_ms)
{
    struct value value;
    const char *reason = actuator_convert(actuator->settings, &held, &value);

    if (actuator->in_flight || (reason && strcmp(reason, "bad_value") == 0))
        return;
    see(actuator, &value, now_ms);
    if (!actuator->known || !value_equal(&actuator->held, &value))
        hold(actuator, &value, "device", "", time_ms);
}

/* A write that failed and could have acted all the same counts as if it had, until a poll says
 * better. */
static void doubt(struct actuator *actuator, const struct value *wanted, const char *reason,
                  int64_t now_ms)
{
    if (reason && strcmp(reason, "timeout") == 0)
        see(actuator, wanted, now_ms);
}

/* Takes over what a write led to. */
static void settle(struct actuator *actuator, struct pending *pending,
                   const struct command_result *result, const char *reason, int64_t now_ms)
{
    if (result->outcome == COMMAND_OK) {
        see(actuator, &result->value, now_ms);
        if (pending->forced)
            actuator->forcing = false;
        else if (!actuator->forcing)
            actuator->cause = NULL;
        hold(actuator, &result->value, pending->command.source, pending->command.id, result->ts_ms);
        return;
    }
    if (result->value.type == VALUE_NONE)
        doubt(actuator, &pending->value, reason, now_ms);
    else
        actuator_observe(actuator, result->value, now_ms, result->ts_ms);
    if (pending->forced) {
        actuator->force_ms = now_ms + FORCE_AGAIN_MS;
        actuator->n_failed++;
    }
}

void actuator_done(struct actuator *actuator, enum command_outcome outcome, const char *reason,
                   struct value held, int64_t now_ms, int64_t time_ms)
{
    struct pending *pending = actuator->in_flight;
    struct command_result result;

    if (!pending)
        return;
    if (outcome == COMMAND_OK && held.type == VALUE_NONE)
        held = pending->value;
    result = (struct command_result){.id = pending->command.id,
                                     .outcome = outcome,
                                     .reason = reason,
                                     .value = held,
                                     .previous = actuator_held(actuator),
                                     .wanted = pending->value,
                                     .ts_ms = actuator_stamp(actuator, time_ms),
                                     .queued_ms = pending->started_ms - pending->arrived_ms,
                                     .took_ms = now_ms - pending->started_ms,
                                     .source = pending->command.source,
                                     .message = actuator->message[0] ? actuator->message : NULL};
    actuator->in_flight = NULL;
    /* Of a safe value that cannot be written for hours, the first failure is told. */
    if (!pending->forced || outcome == COMMAND_OK || actuator->n_failed == 0)
        actuator_answer(actuator, pending, &result);
    settle(actuator, pending, &result, reason, now_ms);
    pending_clear(pending);
}

void actuator_offline(struct actuator *actuator, int64_t now_ms, int64_t time_ms)
{
    if (!actuator->queued)
        return;
    if (actuator->queued->forced) {
        pending_clear(actuator->queued);
        actuator->queued = NULL;
    } else {
        actuator_end_queued(actuator, COMMAND_REJECTED, "device_offline", NULL, now_ms, time_ms);
    }
}

static void queue_safe(struct actuator *actuator, int64_t now_ms)
{
    struct pending *pending = actuator_slot(actuator);

    pending->forced = true;
    pending->value = actuator->settings->safe;
    pending->arrived_ms = now_ms;
    snprintf(pending->command.source, sizeof pending->command.source, "failsafe:%s",
             actuator->cause);
}

void actuator_force(struct actuator *actuator, const char *cause, int64_t now_ms, int64_t time_ms)
{
    char source[COMMAND_SOURCE_SIZE];

    if (actuator->queued && !actuator->queued->forced)
        actuator_end_queued(actuator, COMMAND_SUPERSEDED, NULL, "it goes to its safe value", now_ms,
                            time_ms);
    snprintf(source, sizeof source, "failsafe:%s", cause);
    actuator->cause = cause;
    if (!actuator->forcing)
        actuator->forced_ms = now_ms;
    actuator->forcing = actuator->settings->safe.type != VALUE_NONE && !actuator->settings->dry_run;
    actuator->force_ms = now_ms;
    actuator->n_failed = 0;
    credit(actuator, source, "", time_ms);
}

void actuator_force_now(struct actuator *actuator, int64_t now_ms)
{
    actuator->force_ms = now_ms;
}

void actuator_tick(struct actuator *actuator, bool device_online, int64_t now_ms, int64_t time_ms)
{
    if (now_ms >= guard_expiry_ms(&actuator->guard) && !actuator->forcing &&
        !actuator->settings->dry_run)
        actuator_force(actuator, "max_on", now_ms, time_ms);
    if (actuator->forcing && device_online && !actuator->queued && !actuator->in_flight &&
        now_ms >= actuator->force_ms)
        queue_safe(actuator, now_ms);
}

int64_t actuator_owed_ms(const struct actuator *actuator, int64_t now_ms)
{
    return actuator->forcing ? now_ms - actuator->forced_ms : 0;
}

bool actuator_settled(const struct actuator *actuator)
{
    return !actuator->forcing && !actuator->queued && !actuator->in_flight;
}

bool actuator_in_flight(const struct actuator *actuator)
{
    return actuator->in_flight != NULL;
}

static bool leads_on(const struct pending *pending)
{
    return pending && guard_is_on(&pending->value);
}

bool actuator_may_be_on(const struct actuator *actuator)
{
    return !actuator->guard.known || actuator->guard.on || leads_on(actuator->queued) ||
           leads_on(actuator->in_flight);
}
