#include "core_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS (INT64_C(60) * 1000)

/* Quiet hours begin and end on whole minutes; what else is held is looked at then too. */
static int64_t next_minute(int64_t time_ms)
{
    return (time_ms / MINUTE_MS + 1) * MINUTE_MS;
}

static bool is_open(const struct member *member) /* told, and still to be minded by somebody */
{
    return member->record->state != ALERT_RESOLVED && member->told && !member->moved &&
           !member->record->acknowledged;
}

static int64_t repeat_ms(const struct member *member)
{
    int64_t every_ms = member->group->route->repeat_ms;

    return every_ms && !member->record->lost ? member->told_ms + every_ms : INT64_MAX;
}

static int64_t escalation_ms(const struct member *member)
{
    const struct route *route = member->group->route;

    return member->step < route->n_steps
               ? member->first_told_ms + route->steps[member->step].after_ms
               : INT64_MAX;
}

/* ---- what is to be told ---- */

static int tell(struct core *core, const struct telling *telling)
{
    if (core->n_tellings == core->tellings_capacity) {
        size_t capacity = core->tellings_capacity ? 2 * core->tellings_capacity : 64;
        struct telling *grown = realloc(core->tellings, capacity * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        core->tellings = grown;
        core->tellings_capacity = capacity;
    }
    core->tellings[core->n_tellings++] = *telling;
    return 0;
}

/* What is open is repeated with the first that is due, so that there are few repetitions. */
static bool repeats_now(const struct core *core, const struct group *group, int64_t time_ms)
{
    for (const struct member *m = group->first; m; m = m->next)
        if (is_open(m) && repeat_ms(m) <= time_ms &&
            core_hold(core, m, ITEM_FIRING, time_ms) == CORE_FIRING)
            return true;
    return false;
}

/* Not what was told just now, before others came out of a silence. */
static bool rides_along(const struct member *member, int64_t time_ms)
{
    int64_t at_ms = repeat_ms(member);

    return at_ms != INT64_MAX && at_ms - member->group->route->repeat_ms / 2 <= time_ms;
}

/* Whether something is to be said of the member now. */
static bool decide(const struct core *core, struct member *member, bool repeats, int64_t time_ms,
                   struct telling *out)
{
    bool news = member_news(member, &out->state);

    out->member = member;
    out->channels = member_channels(member, out->state);
    if (!news && !is_open(member))
        return false;
    if (core_hold(core, member, out->state, time_ms) != CORE_FIRING)
        return false;
    if (news) {
        out->kind = NOTIFICATION_NEWS;
        return time_ms >= member->group->news_ms;
    }
    if (escalation_ms(member) <= time_ms) {
        out->kind = NOTIFICATION_ESCALATION;
        out->channels = member->group->route->steps[member->step].channels;
        return true;
    }
    out->kind = NOTIFICATION_REPEAT;
    return repeats && rides_along(member, time_ms);
}

/* Notes on the member that it was told. */
static void note(const struct telling *telling, int64_t time_ms)
{
    struct member *member = telling->member;

    if (!member->told)
        member->first_told_ms = time_ms;
    member_note(member, telling->state, telling->channels);
    member->told_ms = time_ms;
    member->severity = member->record->severity;
    if (telling->kind == NOTIFICATION_ESCALATION)
        member->step++;
}

/* ---- the notifications ---- */

static int rank(enum item_state state)
{
    static const int ranks[] = {
        [ITEM_FIRING] = 0,       [ITEM_STALE] = 1,   [ITEM_FLAPPING] = 2, [ITEM_MOVED] = 3,
        [ITEM_ACKNOWLEDGED] = 4, [ITEM_REMOVED] = 5, [ITEM_RESOLVED] = 6};

    return ranks[state];
}

/* By state, then the gravest first, then the newest first; names break ties. */
static int compare(const void *left, const void *right)
{
    const struct telling *a = left, *b = right;
    const struct record *x = a->member->record, *y = b->member->record;
    int order;

    if (a->state != b->state)
        return rank(a->state) - rank(b->state);
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->since_ms != y->since_ms)
        return x->since_ms > y->since_ms ? -1 : 1;
    order = strcmp(x->topic.location, y->topic.location);
    if (order == 0)
        order = strcmp(x->topic.device, y->topic.device);
    return order ? order : strcmp(x->topic.name, y->topic.name);
}

static enum notification_kind kind_for(const struct core *core, uint32_t channel)
{
    enum notification_kind kind = NOTIFICATION_REPEAT;

    for (size_t i = 0; i < core->n_tellings; i++) {
        const struct telling *telling = &core->tellings[i];

        if (!(telling->channels & channel))
            continue;
        if (telling->kind == NOTIFICATION_NEWS)
            return NOTIFICATION_NEWS;
        if (telling->kind == NOTIFICATION_ESCALATION)
            kind = NOTIFICATION_ESCALATION;
    }
    return kind;
}

static void compose(struct core *core, const struct group *group, size_t channel, uint64_t standing,
                    int64_t time_ms)
{
    uint32_t bit = UINT32_C(1) << channel;
    struct notification *n;

    if (notification_open(&n, kind_for(core, bit), group->label, time_ms) < 0) {
        core->stats.lost++;
        return;
    }
    n->standing = standing;
    n->forgotten = group->route->channels & bit ? group->forgotten : 0;
    for (size_t i = 0; i < core->n_tellings; i++)
        if (core->tellings[i].channels & bit &&
            notification_add(n, core->tellings[i].member->record, core->tellings[i].state) < 0)
            core->stats.lost++;
    core_send(core, channel, n, time_ms);
}

static void send_all(struct core *core, struct group *group, int64_t time_ms)
{
    uint32_t channels = group->forgotten ? group->route->channels : 0;
    uint64_t standing = 0;

    qsort(core->tellings, core->n_tellings, sizeof core->tellings[0], compare);
    for (const struct member *m = group->first; m; m = m->next)
        standing += is_open(m);
    for (size_t i = 0; i < core->n_tellings; i++) {
        channels |= core->tellings[i].channels;
        standing -= is_open(core->tellings[i].member);
    }
    for (size_t i = 0; i < core->settings->n_channels; i++)
        if (channels >> i & 1)
            compose(core, group, i, standing, time_ms);
}

/* ---- afterwards ---- */

/* When the member's alert is next to be looked at. */
static int64_t next_of(const struct core *core, const struct member *member, int64_t time_ms)
{
    enum item_state state;
    bool news = member_news(member, &state);
    int64_t at_ms = flap_end_ms(&member->record->flap, &core->settings->flap);
    int64_t then_ms;

    if (!news && !is_open(member))
        return at_ms;
    if (news)
        then_ms = member->group->news_ms;
    else
        then_ms =
            escalation_ms(member) < repeat_ms(member) ? escalation_ms(member) : repeat_ms(member);
    if (then_ms <= time_ms) /* it is held */
        then_ms = next_minute(time_ms);
    return then_ms < at_ms ? then_ms : at_ms;
}

static bool is_done(const struct member *member)
{
    enum item_state state;

    if (member->moved && !member->owed)
        return true;
    return member->record->state == ALERT_RESOLVED && !member->record->flap.on &&
           !member_news(member, &state);
}

static void drop_what_is_done(struct core *core, struct group *group)
{
    struct member *next;

    for (struct member *m = group->first; m; m = next) {
        next = m->next;
        if (!is_done(m))
            continue;
        core->stats.brief += !m->told;
        member_leave(m);
    }
}

static void plan_next(struct core *core, struct group *group, int64_t time_ms)
{
    int64_t at_ms = group->forgotten ? group->news_ms : INT64_MAX;

    drop_what_is_done(core, group);
    if (!group->first && !group->forgotten) {
        groups_remove(&core->groups, group);
        return;
    }
    for (const struct member *m = group->first; m; m = m->next) {
        int64_t next_ms = next_of(core, m, time_ms);

        if (next_ms < at_ms)
            at_ms = next_ms;
    }
    groups_schedule(&core->groups, group, at_ms);
}

/* An alert that has come to rest: in all its groups its last state may be told. */
static void settle(struct core *core, struct group *group, int64_t time_ms)
{
    for (struct member *m = group->first; m; m = m->next) {
        if (!flap_settle(&m->record->flap, &core->settings->flap, time_ms))
            continue;
        for (struct member *each = m->record->members; each; each = each->next_of_record) {
            member_renew(each);
            core_expect_news(core, each->group, 0, time_ms);
        }
    }
}

void core_flush(struct core *core, struct group *group, int64_t time_ms)
{
    bool repeats, news = false, timely;

    settle(core, group, time_ms);
    timely = time_ms >= group->news_ms;
    repeats = repeats_now(core, group, time_ms);
    core->n_tellings = 0;
    for (struct member *m = group->first; m; m = m->next) {
        struct telling telling;

        if (!decide(core, m, repeats, time_ms, &telling))
            continue;
        if (tell(core, &telling) < 0)
            core->stats.lost++;
        news |= telling.kind == NOTIFICATION_NEWS;
    }
    for (size_t i = 0; i < core->n_tellings; i++)
        note(&core->tellings[i], time_ms);
    if (core->n_tellings > 0 || (timely && group->forgotten))
        send_all(core, group, time_ms);
    if (timely)
        group->forgotten = 0;
    if (news)
        group->notified_ms = time_ms;
    if (timely)
        group->news_ms = time_ms; /* what is left is held, and may go as soon as it is not */
    plan_next(core, group, time_ms);
}
