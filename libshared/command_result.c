#include "command.h"
#include "jsonr.h"
#include "jsonw.h"

#include <errno.h>
#include <string.h>

/* A member that is left out where there is nothing to say. */
static void write_unless_empty(struct jsonw *w, const char *key, const char *text)
{
    if (text && text[0])
        jsonw_text(w, key, text);
}

static void write_if_known(struct jsonw *w, const char *key, const struct value *value)
{
    if (value->type != VALUE_NONE)
        jsonw_value(w, key, value);
}

static void write_or_null(struct jsonw *w, const char *key, const char *text)
{
    jsonw_text(w, key, text && text[0] ? text : NULL);
}

static const char *const outcome_names[] = {
    [COMMAND_OK] = "ok",           [COMMAND_REJECTED] = "rejected",     [COMMAND_FAILED] = "failed",
    [COMMAND_EXPIRED] = "expired", [COMMAND_SUPERSEDED] = "superseded",
};

const char *command_outcome_name(enum command_outcome outcome)
{
    return outcome_names[outcome];
}

int command_result_encode(const struct command_result *result, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    write_or_null(&w, "id", result->id);
    jsonw_text(&w, "result", command_outcome_name(result->outcome));
    jsonw_text(&w, "reason", result->reason);
    jsonw_value(&w, "value", &result->value);
    write_if_known(&w, "previous", &result->previous);
    write_if_known(&w, "wanted", &result->wanted);
    jsonw_integer(&w, "ts", result->ts_ms);
    jsonw_integer(&w, "queued_ms", result->queued_ms);
    jsonw_integer(&w, "took_ms", result->took_ms);
    write_unless_empty(&w, "source", result->source);
    write_unless_empty(&w, "message", result->message);
    if (result->dry_run)
        jsonw_bool(&w, "dry_run", true);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}

static int outcome_parse(enum command_outcome *out, const char *name)
{
    for (size_t i = 0; i < sizeof outcome_names / sizeof *outcome_names; i++) {
        if (strcmp(outcome_names[i], name) == 0) {
            *out = (enum command_outcome)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int read_flag(const struct jsonr *in, const char *key, bool *out)
{
    struct value flag = {.type = VALUE_NONE};
    int error = jsonr_value(in, key, JSONR_OPTIONAL, &flag);

    *out = flag.type == VALUE_BOOL && flag.boolean;
    return error;
}

static int read_result(struct command_result *result, const struct jsonr *in)
{
    const char *outcome = NULL;
    int error = jsonr_text(in, "result", JSONR_REQUIRED, &outcome);

    if (error)
        return error;
    if (outcome_parse(&result->outcome, outcome))
        return jsonr_fail(in, "result", "ok, rejected, failed, expired or superseded is expected");
    error = jsonr_text(in, "id", JSONR_OPTIONAL, &result->id);
    if (!error)
        error = jsonr_text(in, "reason", JSONR_OPTIONAL, &result->reason);
    if (!error)
        error = jsonr_value(in, "value", JSONR_OPTIONAL, &result->value);
    if (!error)
        error = jsonr_value(in, "previous", JSONR_OPTIONAL, &result->previous);
    if (!error)
        error = jsonr_value(in, "wanted", JSONR_OPTIONAL, &result->wanted);
    if (!error)
        error = jsonr_integer(in, "ts", JSONR_REQUIRED, &result->ts_ms);
    if (!error)
        error = jsonr_integer(in, "queued_ms", JSONR_OPTIONAL, &result->queued_ms);
    if (!error)
        error = jsonr_integer(in, "took_ms", JSONR_OPTIONAL, &result->took_ms);
    if (!error)
        error = jsonr_text(in, "source", JSONR_OPTIONAL, &result->source);
    if (!error)
        error = jsonr_text(in, "message", JSONR_OPTIONAL, &result->message);
    if (!error)
        error = read_flag(in, "dry_run", &result->dry_run);
    return error;
}

int command_result_decode(const void *payload, size_t size, command_result_fn *on_result,
                          void *self, char *error, size_t error_size)
{
    struct command_result result = {.id = "", .value = {.type = VALUE_NONE}};
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    int outcome = jsonr_parse_object(&in, payload, size);

    if (outcome)
        return outcome;
    outcome = read_result(&result, &in);
    if (!outcome)
        outcome = on_result(self, &result);
    jsonr_free(in.object);
    return outcome;
}

int command_state_encode(const struct command_state *state, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "ts", state->ts_ms);
    jsonw_value(&w, "value", &state->value);
    jsonw_text(&w, "source", state->source);
    write_or_null(&w, "command_id", state->command_id);
    jsonw_text(&w, "mode", state->failsafe ? "failsafe" : "normal");
    if (state->dry_run)
        jsonw_bool(&w, "dry_run", true);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}
