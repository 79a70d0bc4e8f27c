#include "actuator_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAMPS_AHEAD_MS 1000

/* Who gets the answer. */
struct reply {
    const char *response_topic;
    const void *correlation;
    size_t correlation_size;
};

int actuator_open(struct actuator **out, const struct actuator_settings *settings,
                  const struct actuator_handlers *handlers, void *self, int64_t now_ms)
{
    struct actuator *actuator = calloc(1, sizeof *actuator);

    if (!actuator || ledger_open(&actuator->ledger, ACTUATOR_LEDGER) != 0) {
        free(actuator);
        return -ENOMEM;
    }
    actuator->settings = settings;
    actuator->handlers = *handlers;
    actuator->self = self;
    guard_init(&actuator->guard, &settings->guard, now_ms);
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

struct value actuator_held(const struct actuator *actuator)
{
    return actuator->known ? actuator->held : (struct value){.type = VALUE_NONE};
}

static struct reply reply_to(const struct actuator_request *request)
{
    return (struct reply){request->response_topic, request->correlation, request->correlation_size};
}

static void remember(struct actuator *actuator, const struct command_result *result)
{
    ledger_add(actuator->ledger, result);
    if (actuator->handlers.on_record && result->id[0] != '\0')
        actuator->handlers.on_record(actuator->self, actuator, result);
}

int64_t actuator_stamp(struct actuator *actuator, int64_t time_ms)
{
    bool is_taken = time_ms <= actuator->stamped_ms &&
                    time_ms > actuator->stamped_ms - STAMPS_AHEAD_MS; /* else the clock was set */

    actuator->stamped_ms = is_taken ? actuator->stamped_ms + 1 : time_ms;
    return actuator->stamped_ms;
}

/* Ends what never came into the queue. What got as far as its id being looked up is remembered. */
static void refuse(struct actuator *actuator, const struct actuator_request *request,
                   const struct command_result *result, bool is_new)
{
    struct reply reply = reply_to(request);

    answer(actuator, result, &reply);
    if (is_new)
        remember(actuator, result);
}

void actuator_answer(struct actuator *actuator, struct pending *pending,
                     struct command_result *result)
{
    struct reply reply = {pending->response_topic, pending->correlation, pending->correlation_size};

    remember(actuator, result);
    answer(actuator, result, &reply);
    result->reason = "duplicate";
    for (unsigned i = 0; i < pending->repeats; i++)
        answer(actuator, result, &reply);
}

void actuator_end_queued(struct actuator *actuator, enum command_outcome outcome,
                         const char *reason, const char *message, int64_t now_ms, int64_t time_ms)
{
    struct pending *pending = actuator->queued;
    struct command_result result = {.id = pending->command.id,
                                    .outcome = outcome,
                                    .reason = reason,
                                    .value = actuator_held(actuator),
                                    .wanted = pending->value,
                                    .ts_ms = actuator_stamp(actuator, time_ms),
                                    .queued_ms = now_ms - pending->arrived_ms,
                                    .source = pending->command.source,
                                    .message = message};

    actuator->queued = NULL;
    actuator_answer(actuator, pending, &result);
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

struct pending *actuator_slot(struct actuator *actuator)
{
    actuator->queued = &actuator->slots[actuator->in_flight == &actuator->slots[0] ? 1 : 0];
    return actuator->queued;
}

static void enqueue(struct actuator *actuator, const struct command *command,
                    const struct actuator_request *request, int64_t now_ms, int64_t time_ms)
{
    struct pending *pending;

    if (actuator->queued)
        actuator_end_queued(actuator, COMMAND_SUPERSEDED, NULL,
                            "a newer command came before it was written", now_ms, time_ms);
    pending = actuator_slot(actuator);
    pending_fill(pending, command, request);
    pending->arrived_ms = now_ms;
    pending->expires_ms = pending_expiry(command, request->expiry_s, now_ms, time_ms);
    actuator_convert(actuator->settings, &pending->command.value, &pending->value);
}

/* Whether this is where the actuator may always go: its safe value, or off. */
static bool is_rest(const struct actuator *actuator, const struct value *wanted)
{
    const struct actuator_settings *settings = actuator->settings;

    if (settings->safe.type != VALUE_NONE)
        return value_equal(&settings->safe, wanted);
    return settings->type != ACTUATOR_TEXT && !guard_is_on(wanted);
}

const char *actuator_forbid(const struct actuator *actuator, const struct value *wanted,
                            int64_t now_ms, const char **why)
{
    const char *reason;

    if (actuator->forcing) {
        *why = "it is on its way to its safe value";
        return "interlock";
    }
    reason = guard_refuse(&actuator->guard, wanted, now_ms, why);
    if (!reason && actuator->handlers.forbid && !is_rest(actuator, wanted))
        reason = actuator->handlers.forbid(actuator->self, actuator, why);
    return reason;
}

/* Judges a command that is readable and new: 0 where it is to be written, else `result` says why
 * not. */
static int judge(const struct actuator *actuator, const struct command *command, bool device_online,
                 int64_t now_ms, struct command_result *result)
{
    struct value value;

    result->reason = actuator_convert(actuator->settings, &command->value, &value);
    if (!result->reason && !device_online)
        result->reason = "device_offline";
    if (!result->reason)
        result->reason = actuator_forbid(actuator, &value, now_ms, &result->message);
    return result->reason ? -EPERM : 0;
}

void actuator_offer(struct actuator *actuator, const struct actuator_request *request,
                    bool device_online, int64_t now_ms, int64_t time_ms)
{
    struct command command;
    char error[128];
    bool readable =
        command_decode(&command, request->payload, request->size, error, sizeof error) == 0;
    struct command_result result = {.id = readable ? command.id : "",
                                    .outcome = COMMAND_REJECTED,
                                    .value = actuator_held(actuator),
                                    .ts_ms = actuator_stamp(actuator, time_ms),
                                    .source = readable ? command.source : NULL,
                                    .dry_run = actuator->settings->dry_run};

    if (readable)
        result.wanted = command.value;
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
    } else if (judge(actuator, &command, device_online, now_ms, &result) != 0) {
        refuse(actuator, request, &result, true);
    } else if (actuator->settings->dry_run) {
        result.outcome = COMMAND_OK;
        result.message = "a dry run: nothing was written";
        refuse(actuator, request, &result, true);
    } else {
        enqueue(actuator, &command, request, now_ms, time_ms);
    }
}

void actuator_restore(struct actuator *actuator, const struct command_result *result)
{
    ledger_add(actuator->ledger, result);
}

bool actuator_history(const struct actuator *actuator, struct guard_history *out, int64_t now_ms,
                      int64_t time_ms)
{
    return guard_history(&actuator->guard, out, now_ms, time_ms);
}

void actuator_restore_history(struct actuator *actuator, const struct guard_history *history,
                              int64_t now_ms, int64_t time_ms)
{
    guard_restore(&actuator->guard, history, now_ms, time_ms);
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

    if (readable)
        result.wanted = command.value;
    snprintf(settings.name, sizeof settings.name, "%s", name);
    refuse(&unknown, request, &result, false);
}
