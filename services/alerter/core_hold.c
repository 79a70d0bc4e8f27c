#include "core_state.h"

const char *core_life_name(enum core_life life)
{
    static const char *const names[] = {
        [CORE_FIRING] = "firing",     [CORE_ACKNOWLEDGED] = "acknowledged",
        [CORE_SILENCED] = "silenced", [CORE_INHIBITED] = "inhibited",
        [CORE_QUIET] = "quiet",       [CORE_FLAPPING] = "flapping",
        [CORE_STALE] = "stale",       [CORE_RESOLVED] = "resolved"};

    return names[life];
}

static const struct quiet *quiet_of(const struct core *core, const struct route *route,
                                    enum alert_severity severity, int64_t time_ms)
{
    for (size_t i = 0; i < core->settings->n_quiets; i++)
        if (route->quiet >> i & 1 && quiet_holds(&core->settings->quiets[i], severity, time_ms))
            return &core->settings->quiets[i];
    return NULL;
}

enum core_life core_would_hold(const struct core *core, const struct route *route,
                               const struct record *record, int64_t time_ms, struct buffer *why)
{
    const struct silence *silence =
        silences_find(&core->silences, &record->topic, record->severity, time_ms);
    const struct record *source = inhibitor_find(core->inhibitor, record, time_ms);
    const struct quiet *quiet = quiet_of(core, route, record->severity, time_ms);

    if (silence) {
        buffer_format(why, "%s by %s", silence->name, silence->by);
        return CORE_SILENCED;
    }
    if (source) {
        buffer_format(why, "%s/%s %s", source->topic.location, source->topic.device,
                      source->topic.name);
        return CORE_INHIBITED;
    }
    if (quiet)
        buffer_text(why, quiet->name);
    return quiet ? CORE_QUIET : CORE_FIRING;
}

/* That an alert is over, or in somebody's hands, is told in spite of silences and inhibition: who
 * was told of it waits for that. */
enum core_life core_hold(const struct core *core, const struct member *member,
                         enum item_state state, int64_t time_ms)
{
    const struct record *record = member->record;
    bool awaited = member->owed && (item_is_end(state) || state == ITEM_ACKNOWLEDGED);

    if (!awaited && silences_find(&core->silences, &record->topic, record->severity, time_ms))
        return CORE_SILENCED;
    if (!awaited && inhibitor_find(core->inhibitor, record, time_ms))
        return CORE_INHIBITED;
    return quiet_of(core, member->group->route, record->severity, time_ms) ? CORE_QUIET
                                                                           : CORE_FIRING;
}

static enum core_life life_of(const struct core *core, const struct record *record, int64_t time_ms)
{
    enum core_life held = CORE_FIRING;

    if (record->state == ALERT_RESOLVED && !record->flap.on)
        return CORE_RESOLVED;
    for (const struct member *m = record->members; m && held == CORE_FIRING; m = m->next_of_record)
        held = core_hold(core, m, ITEM_FIRING, time_ms);
    if (held != CORE_FIRING)
        return held;
    if (record->flap.on)
        return CORE_FLAPPING;
    if (record->acknowledged)
        return CORE_ACKNOWLEDGED;
    return record->state == ALERT_STALE ? CORE_STALE : CORE_FIRING;
}

void core_count(const struct core *core, int64_t time_ms, size_t out[CORE_LIVES])
{
    for (int i = 0; i < CORE_LIVES; i++)
        out[i] = 0;
    for (int resolved = 0; resolved < 2; resolved++)
        for (const struct record *r = book_first(core->book, resolved); r; r = r->next)
            out[life_of(core, r, time_ms)]++;
}
