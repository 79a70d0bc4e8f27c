#include "core_state.h"

#include <errno.h>
#include <string.h>

/* ---- other routes than before ---- */

int core_rejoin(struct core *core)
{
    int rc = 0;

    for (int resolved = 0; rc == 0 && resolved < 2; resolved++)
        for (struct record *r = book_first(core->book, resolved); rc == 0 && r; r = r->next)
            if ((rc = core_route(core, r)) == 0)
                rc = inhibitor_update(core->inhibitor, r, core->time_ms);
    core->grace_ms = inhibitor_next_ms(core->inhibitor, core->time_ms);
    for (size_t i = 0; i < core->settings->n_channels; i++)
        core_plan_summary(core, &core->channels[i]);
    return rc;
}

/* ---- the clock went back ---- */

static void shift_group(void *self, struct group *group)
{
    int64_t back_ms = *(const int64_t *)self;

    if (group->news_ms != INT64_MAX)
        group->news_ms -= back_ms;
    if (group->notified_ms != GROUP_NEVER)
        group->notified_ms -= back_ms;
    for (struct member *m = group->first; m; m = m->next) {
        if (!m->told)
            continue; /* nor has it times */
        m->first_told_ms -= back_ms;
        m->told_ms -= back_ms;
    }
}

static void shift_record(struct record *record, int64_t back_ms)
{
    if (record->over_ms != BOOK_NEVER)
        record->over_ms -= back_ms;
    for (size_t i = 0; i < record->flap.n; i++)
        record->flap.at_ms[i] -= back_ms;
}

/* All by the same: the order stays. */
static void shift_agenda(struct agenda *agenda, int64_t back_ms)
{
    for (size_t i = 0; i < agenda->n; i++)
        agenda->items[i]->at_ms -= back_ms;
}

void core_shift(struct core *core, int64_t back_ms)
{
    groups_each(&core->groups, shift_group, &back_ms);
    shift_agenda(&core->groups.agenda, back_ms);
    for (int resolved = 0; resolved < 2; resolved++)
        for (struct record *r = book_first(core->book, resolved); r; r = r->next)
            shift_record(r, back_ms);
    for (size_t i = 0; i < core->settings->n_channels; i++)
        limit_shift(&core->channels[i].limit, back_ms);
    shift_agenda(&core->limits, back_ms);
    if (core->grace_ms != INT64_MAX)
        core->grace_ms -= back_ms;
}
