#include "schedule.h"

#define SPREAD_MAX_MS 1000 /* nobody waits longer for the first reading, whatever the period */
#define SUSPECT_MS \
    10000 /* how much later the deadlines of a unit count that was silent last time */

void schedule_start(struct schedule *schedule, int64_t now_ms)
{
    for (size_t i = 0; i < schedule->n_groups; i++) {
        struct schedule_group *group = &schedule->groups[i];
        int64_t spread_ms = group->period_ms < SPREAD_MAX_MS ? group->period_ms : SPREAD_MAX_MS;

        group->next = 0;
        group->release_ms = now_ms + spread_ms * (int64_t)i / (int64_t)schedule->n_groups;
    }
}

/* Moves the release to the start of the period that `now_ms` lies in; returns the periods passed.
 */
static uint64_t realign(struct schedule_group *group, int64_t now_ms)
{
    int64_t passed = (now_ms - group->release_ms) / group->period_ms;

    if (passed <= 0)
        return 0;
    group->release_ms += passed * group->period_ms;
    return (uint64_t)passed;
}

static void skip(struct schedule *schedule, struct schedule_group *group, int64_t now_ms)
{
    uint64_t passed = realign(group, now_ms);

    group->skipped += passed;
    schedule->skipped += passed;
}

static void miss(struct schedule *schedule, struct schedule_group *group, int64_t now_ms)
{
    uint64_t passed = realign(group, now_ms);

    group->missed += passed;
    schedule->missed += passed;
}

void schedule_resume(struct schedule *schedule, int64_t now_ms)
{
    for (size_t i = 0; i < schedule->n_groups; i++) {
        schedule->groups[i].next = 0;
        skip(schedule, &schedule->groups[i], now_ms);
    }
    /* A probe that the link took with it has no outcome: it is due again. */
    for (size_t i = 0; i < schedule->n_units; i++)
        if (schedule->units[i].breaker.state == BREAKER_HALF_OPEN)
            schedule->units[i].breaker.state = BREAKER_OPEN;
}

/* When the group's next request may go out. */
static int64_t ready_ms(const struct schedule *schedule, const struct schedule_group *group,
                        int64_t now_ms)
{
    const struct schedule_unit *unit = &schedule->units[group->unit];
    int64_t at_ms = group->next ? now_ms : group->release_ms;
    int64_t breaker_ms = breaker_ready_ms(&unit->breaker, now_ms);

    if (at_ms < breaker_ms)
        at_ms = breaker_ms;
    return at_ms < unit->held_ms ? unit->held_ms : at_ms;
}

/* A unit that was silent may cost a whole time-out again: it goes behind the others, but not for
 * ever, however busy the bus. */
static int64_t deadline_ms(const struct schedule *schedule, const struct schedule_group *group)
{
    bool suspect = schedule->units[group->unit].breaker.failures > 0;

    return group->release_ms + group->period_ms + (suspect ? SUSPECT_MS : 0);
}

static struct schedule_group *most_urgent(const struct schedule *schedule, int64_t now_ms)
{
    struct schedule_group *best = NULL;

    for (size_t i = 0; i < schedule->n_groups; i++) {
        struct schedule_group *group = &schedule->groups[i];

        if (ready_ms(schedule, group, now_ms) <= now_ms &&
            (!best || deadline_ms(schedule, group) < deadline_ms(schedule, best)))
            best = group;
    }
    return best;
}

static void end_round(struct schedule_group *group)
{
    group->next = 0;
    group->release_ms += group->period_ms;
}

bool schedule_next(struct schedule *schedule, int64_t now_ms, struct schedule_pick *out)
{
    struct schedule_group *group = most_urgent(schedule, now_ms);
    struct breaker *breaker;

    if (!group)
        return false;
    breaker = &schedule->units[group->unit].breaker;
    if (group->next == 0)
        (breaker->state == BREAKER_CLOSED ? miss : skip)(schedule, group, now_ms);
    if (!breaker_allow(breaker, now_ms))
        return false;
    out->group = (size_t)(group - schedule->groups);
    out->request = group->next++;
    if (group->next == group->n_requests)
        end_round(group);
    return true;
}

void schedule_report(struct schedule *schedule, size_t unit, bool alive, int64_t now_ms,
                     int64_t hold_ms)
{
    struct schedule_unit *reported = &schedule->units[unit];
    bool was_closed = reported->breaker.state == BREAKER_CLOSED;

    if (!alive) {
        breaker_failure(&reported->breaker, now_ms);
        reported->held_ms = now_ms + hold_ms;
        return;
    }
    breaker_success(&reported->breaker);
    if (was_closed)
        return;
    for (size_t i = 0; i < schedule->n_groups;
         i++) /* what it missed while away was not the bus's fault */
        if (schedule->groups[i].unit == unit && schedule->groups[i].next == 0)
            skip(schedule, &schedule->groups[i], now_ms);
}

void schedule_again(struct schedule *schedule, size_t group, unsigned n_requests)
{
    struct schedule_group *cut = &schedule->groups[group];

    if (cut->next == 0) { /* it was the last one, with which the round ended */
        cut->next = cut->n_requests;
        cut->release_ms -= cut->period_ms;
    }
    cut->next--;
    cut->n_requests = n_requests;
}

void schedule_abandon(struct schedule *schedule, size_t group)
{
    if (schedule->groups[group].next != 0)
        end_round(&schedule->groups[group]);
}

int64_t schedule_wake_ms(const struct schedule *schedule, int64_t now_ms)
{
    int64_t wake_ms = INT64_MAX;

    for (size_t i = 0; i < schedule->n_groups; i++) {
        int64_t at_ms = ready_ms(schedule, &schedule->groups[i], now_ms);

        if (at_ms < wake_ms)
            wake_ms = at_ms;
    }
    return wake_ms < now_ms ? now_ms : wake_ms;
}
