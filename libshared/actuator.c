#include "actuator.h"

#include "ledger.h"
#include "pending.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE 129

struct actuator {
    const struct actuator_settings *settings;
    struct actuator_handlers handlers;
    void *self;
    struct ledger *ledger;
    struct pending slots[2];
    struct pending *queued; /* either points to a slot or is NULL */
    struct pending *in_flight;
    char message[MESSAGE_SIZE];

    bool known;        /* the members below say something */
    struct value held; /* owned */
    int64_t held_ms;
    char held_source[COMMAND_SOURCE_SIZE];
    char held_id[COMMAND_ID_SIZE];
};

/* Who gets the answer. */
struct reply {
    const char *response_topic;
    const void *correlation;
    size_t correlation_size;
};

int actuator_open(struct actuator **out, const struct actuator_settings *settings,
                  const struct actuator_handlers *handlers, void *self)
{
    struct actuator *actuator = calloc(1, sizeof *actuator);

    if (!actuator || ledger_open(&actuator->ledger, ACTUATOR_LEDGER) != 0) {
        free(actuator);
        return -ENOMEM;
    }
    actuator->settings = settings;
    actuator->handlers = *handlers;
    actuator->self = self;
    *out = actuator;
    return 0;
}

void actuator_close(struct actuator *actuator)
{
    if (!actuator)
        return;
    pending_clear(&actuator->slots[0]);
    pending_clear(&actuator->slots[1]);
    value_free(&actuator->held);
    ledger_close(actuator->ledger);
    free(actuator);
}

const struct actuator_settings *actuator_settings(const struct actuator *actuator)
{
    return actuator->settings;
}

static void answer(const struct actuator *actuator, const struct command_result *result,
                   const struct reply *reply)
{
    actuator->handlers.on_result(actuator->self, actuator, result, reply->response_topic,
                                 reply->correlation, reply->correlation_size);
}

static struct value known_value(const struct actuator *actuator)
{
    return actuator->known ? actuator->held : (struct value){.type = VALUE_NONE};
}

static struct reply reply_to(const struct actuator_request *request)
{
    return (struct reply){request->response_topic, request->correlation, request->correlation_size};
}

/* Ends what never came into the queue. What got as far as its id being looked up is remembered. */
static void refuse(struct actuator *actuator, const struct actuator_request *request,
                   const struct command_result *result, bool remember)
{
    struct reply reply = reply_to(request);

    answer(actuator, result, &reply);
    if (remember)
        ledger_add(actuator->ledger, result);
}

static void answer_pending(struct actuator *actuator, struct pending *pending,
                           struct command_result *result)
{
    struct reply reply = {pending->response_topic, pending->correlation, pending->correlation_size};

    ledger_add(actuator->ledger, result);
    answer(actuator, result, &reply);
    result->reason = "duplicate";
    for (unsigned i = 0; i < pending->repeats; i++)
        answer(actuator, result, &reply);
}

/* Ends a command that was queued and not written. */
static void end_queued(struct actuator *actuator, enum command_outcome outcome, const char *reason,
                       const char *message, int64_t now_ms, int64_t time_ms)
{
    struct pending *pending = actuator->queued;
    struct command_result result = {.id = pending->command.id,
                                    .outcome = outcome,
                                    .reason = reason,
                                    .value = known_value(actuator),
                                    .ts_ms = time_ms,
                                    .queued_ms = now_ms - pending->arrived_ms,
                                    .source = pending->command.source,
                                    .message = message};

    actuator->queued = NULL;
    answer_pending(actuator, pending, &result);
    pending_clear(pending);
}

static bool same_id(const struct pending *pending, const char *id)
{
    return pending && id[0] != '\0' && strcmp(pending->command.id, id) == 0;
}

/* True where the id was seen before and everything needful is done. */
static bool repeats(struct actuator *actuator, const struct command *command,
                    const struct actuator_request *request)
{
    struct command_result first;

    if (same_id(actuator->queued, command->id)) {
        actuator->queued->repeats++;
        return true;
    }
    if (same_id(actuator->in_flight, command->id)) {
        actuator->in_flight->repeats++;
        return true;
    }
    if (!ledger_find(actuator->ledger, command->id, &first))
        return false;
    first.message = first.reason;
    first.reason = "duplicate";
    refuse(actuator, request, &first, false);
    return true;
}

static struct pending *free_slot(struct actuator *actuator)
{
    return &actuator->slots[actuator->in_flight == &actuator->slots[0] ? 1 : 0];
}

static void enqueue(struct actuator *actuator, const struct command *command,
                    const struct actuator_request *request, int64_t now_ms, int64_t time_ms)
{
    if (actuator->queued)
        end_queued(actuator, COMMAND_SUPERSEDED, NULL, "a newer command came before it was written",
                   now_ms, time_ms);
    actuator->queued = free_slot(actuator);
    pending_fill(actuator->queued, command, request);
    actuator->queued->arrived_ms = now_ms;
    actuator->queued->expires_ms = pending_expiry(command, request->expiry_s, now_ms, time_ms);
    actuator_convert(actuator->settings, &actuator->queued->command.value,
                     &actuator->queued->value);
}

void actuator_offer(struct actuator *actuator, const struct actuator_request *request,
                    bool device_online, int64_t now_ms, int64_t time_ms)
{
    struct command command;
    struct value value;
    char error[128];
    bool readable =
        command_decode(&command, request->payload, request->size, error, sizeof error) == 0;
    struct command_result result = {.id = readable ? command.id : "",
                                    .outcome = COMMAND_REJECTED,
                                    .value = known_value(actuator),
                                    .ts_ms = time_ms,
                                    .source = readable ? command.source : NULL};

    if (request->retained) {
        result.reason = "retained";
        result.message = "commands must not be published with the retain flag";
        refuse(actuator, request, &result, false);
    } else if (!readable) {
        result.reason = "bad_payload";
        result.message = error;
        refuse(actuator, request, &result, false);
    } else if (repeats(actuator, &command, request)) {
        return;
    } else if (pending_expiry(&command, request->expiry_s, now_ms, time_ms) <= now_ms) {
        result.outcome = COMMAND_EXPIRED;
        refuse(actuator, request, &result, true);
    } else if ((result.reason = actuator_convert(actuator->settings, &command.value, &value)) !=
               NULL) {
        refuse(actuator, request, &result, true);
    } else if (!device_online) {
        result.reason = "device_offline";
        refuse(actuator, request, &result, true);
    } else {
        enqueue(actuator, &command, request, now_ms, time_ms);
    }
}

bool actuator_waiting(const struct actuator *actuator)
{
    return actuator->queued && !actuator->in_flight;
}

const struct value *actuator_next(struct actuator *actuator, int64_t now_ms, int64_t time_ms)
{
    if (actuator->queued && actuator->queued->expires_ms <= now_ms)
        end_queued(actuator, COMMAND_EXPIRED, NULL, "waited too long for its turn", now_ms,
                   time_ms);
    if (!actuator_waiting(actuator))
        return NULL;
    actuator->in_flight = actuator->queued;
    actuator->queued = NULL;
    actuator->in_flight->started_ms = now_ms;
    actuator->message[0] = '\0';
    return &actuator->in_flight->value;
}

void actuator_explain(struct actuator *actuator, const char *message)
{
    snprintf(actuator->message, sizeof actuator->message, "%s", message);
}

void actuator_announce(struct actuator *actuator)
{
    struct command_state state = {.ts_ms = actuator->held_ms,
                                  .value = actuator->held,
                                  .source = actuator->held_source[0] ? actuator->held_source : NULL,
                                  .command_id = actuator->held_id};

    if (actuator->known)
        actuator->handlers.on_state(actuator->self, actuator, &state);
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
    actuator->held_ms = time_ms;
    actuator->known = true;
    snprintf(actuator->held_source, sizeof actuator->held_source, "%s", source);
    snprintf(actuator->held_id, sizeof actuator->held_id, "%s", id);
    actuator_announce(actuator);
}

void actuator_observe(struct actuator *actuator, struct value held, int64_t time_ms)
{
    struct value value;
    const char *reason = actuator_convert(actuator->settings, &held, &value);

    if (actuator->in_flight || (reason && strcmp(reason, "bad_value") == 0))
        return;
    if (!actuator->known || !value_equal(&actuator->held, &value))
        hold(actuator, &value, "device", "", time_ms);
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
                                     .ts_ms = time_ms,
                                     .queued_ms = pending->started_ms - pending->arrived_ms,
                                     .took_ms = now_ms - pending->started_ms,
                                     .source = pending->command.source,
                                     .message = actuator->message[0] ? actuator->message : NULL};
    actuator->in_flight = NULL;
    answer_pending(actuator, pending, &result);
    if (outcome == COMMAND_OK)
        hold(actuator, &held, pending->command.source, pending->command.id, time_ms);
    else
        actuator_observe(actuator, held, time_ms);
    pending_clear(pending);
}

void actuator_offline(struct actuator *actuator, int64_t now_ms, int64_t time_ms)
{
    if (actuator->queued)
        end_queued(actuator, COMMAND_REJECTED, "device_offline", NULL, now_ms, time_ms);
}

void actuator_reject_unknown(const char *name, const struct actuator_request *request,
                             int64_t time_ms, const struct actuator_handlers *handlers, void *self)
{
    struct actuator_settings settings = {.type = ACTUATOR_TEXT};
    struct actuator unknown = {.settings = &settings, .handlers = *handlers, .self = self};
    struct command command;
    char error[128];
    bool readable =
        command_decode(&command, request->payload, request->size, error, sizeof error) == 0;
    struct command_result result = {.id = readable ? command.id : "",
                                    .outcome = COMMAND_REJECTED,
                                    .reason = "unknown_actuator",
                                    .ts_ms = time_ms,
                                    .source = readable ? command.source : NULL};

    snprintf(settings.name, sizeof settings.name, "%s", name);
    refuse(&unknown, request, &result, false);
}
