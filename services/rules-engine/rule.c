#include "rule.h"

static bool is(struct value value, bool wanted)
{
    return value.type == VALUE_BOOL && value.boolean == wanted;
}

static void enter(struct rule_state *state, enum rule_phase phase, int64_t now_ms)
{
    state->phase = phase;
    state->since_ms = now_ms;
}

bool rule_is_active(const struct rule_state *state)
{
    return state->phase == RULE_ACTIVE || state->phase == RULE_CLEARING;
}

bool rule_waits(const struct rule_state *state)
{
    return state->phase == RULE_WAITING || state->phase == RULE_CLEARING;
}

void rule_begin_anew(struct rule_state *state, int64_t now_ms)
{
    if (rule_waits(state))
        enter(state, rule_is_active(state) ? RULE_ACTIVE : RULE_INACTIVE, now_ms);
}

/* `when` and `until` true together would switch back and forth: then nothing switches on. */
static enum rule_edge step_inactive(struct rule_state *state, const struct rule_timing *timing,
                                    const struct rule_condition *condition, int64_t now_ms)
{
    if (!is(condition->when, true) || is(condition->until, true)) {
        if (!state->paused)
            rule_begin_anew(state, now_ms);
        return RULE_NO_EDGE;
    }
    if (state->phase == RULE_INACTIVE)
        enter(state, RULE_WAITING, now_ms);
    if (now_ms - state->since_ms < timing->for_ms || now_ms < condition->rested_ms)
        return RULE_NO_EDGE;
    enter(state, RULE_ACTIVE, now_ms);
    state->stale = false;
    state->episode++;
    return RULE_FIRED;
}

static enum rule_edge step_unknown(struct rule_state *state, const struct rule_timing *timing,
                                   int64_t now_ms)
{
    if (!state->paused)
        rule_begin_anew(state, now_ms);
    if (state->stale || timing->stale_after_ms == 0 ||
        now_ms - state->known_ms < timing->stale_after_ms)
        return RULE_NO_EDGE;
    state->stale = true;
    return RULE_STALE;
}

static enum rule_edge step_active(struct rule_state *state, const struct rule_timing *timing,
                                  const struct rule_condition *condition, int64_t now_ms)
{
    bool was_stale = state->stale;
    state->stale = false;
    if (is(condition->until, true)) {
        if (state->phase == RULE_ACTIVE)
            enter(state, RULE_CLEARING, now_ms);
        if (now_ms - state->since_ms >= timing->clear_for_ms) {
            enter(state, RULE_INACTIVE, now_ms);
            return RULE_CLEARED;
        }
    } else if (state->phase == RULE_CLEARING) {
        enter(state, RULE_ACTIVE, now_ms);
    }
    return was_stale ? RULE_RECOVERED : RULE_NO_EDGE;
}

enum rule_edge rule_step(struct rule_state *state, const struct rule_timing *timing,
                         const struct rule_condition *condition, int64_t now_ms)
{
    if (condition->when.type == VALUE_BOOL || condition->until.type == VALUE_BOOL)
        state->paused = false;
    if (!rule_is_active(state)) {
        state->known_ms = now_ms;
        return step_inactive(state, timing, condition, now_ms);
    }
    if (condition->until.type != VALUE_BOOL)
        return step_unknown(state, timing, now_ms);
    state->known_ms = now_ms;
    return step_active(state, timing, condition, now_ms);
}

int64_t rule_deadline_ms(const struct rule_state *state, const struct rule_timing *timing)
{
    int64_t at_ms = RULE_NEVER;
    if (state->phase == RULE_WAITING && !state->paused)
        at_ms = state->since_ms + timing->for_ms;
    if (state->phase == RULE_CLEARING && !state->paused)
        at_ms = state->since_ms + timing->clear_for_ms;
    if (rule_is_active(state) && !state->stale && timing->stale_after_ms > 0) {
        int64_t stale_ms = state->known_ms + timing->stale_after_ms;
        at_ms = stale_ms < at_ms ? stale_ms : at_ms;
    }
    return at_ms;
}
