#include "core_state.h"

#include <errno.h>

static bool takes(const struct group *group, const struct record *record,
                  const struct route *const routes[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (routes[i] == group->route)
            return group_takes(group, record);
    return false;
}

static int join(struct core *core, struct record *record, const struct route *route)
{
    struct group *group = groups_get(&core->groups, route, record);

    if (!group)
        return -ENOMEM;
    if (member_find(record, group))
        return 0;
    if (member_join(group, record)) {
        core_expect_news(core, group, route->wait_ms, core->time_ms);
        return 0;
    }
    if (!group->first)
        groups_remove(&core->groups, group);
    return -ENOMEM;
}

/* Marks who has lost the alert and who has it back. */
static void mark(struct core *core, struct record *record, const struct route *const routes[],
                 size_t n)
{
    for (struct member *m = record->members; m; m = m->next_of_record) {
        bool moved = !takes(m->group, record, routes, n);

        if (m->moved && !moved)
            member_renew(m);
        if (moved && !m->moved)
            m->told &= ~TOLD(ITEM_MOVED);
        if (moved != m->moved)
            core_expect_news(core, m->group, m->group->route->wait_ms, core->time_ms);
        m->moved = moved;
    }
}

/* What a channel hears from the groups that have the alert now, it does not hear from those that
 * had it; of these, those that owe nothing to anybody go. */
static void hand_over(struct core *core, struct record *record)
{
    struct member *next;

    for (struct member *moved = record->members; moved; moved = next) {
        next = moved->next_of_record;
        if (!moved->moved)
            continue;
        for (struct member *m = record->members; m; m = m->next_of_record)
            if (!m->moved)
                member_take_over(m, moved);
        if (!moved->owed)
            core_leave(core, moved);
    }
}

void core_leave(struct core *core, struct member *member)
{
    struct group *group = member->group;

    member_leave(member);
    if (!group->first && !group->forgotten)
        groups_remove(&core->groups, group);
}

static int join_all(struct core *core, struct record *record, const struct route *const routes[],
                    size_t n)
{
    bool routed = false;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!routes[i]->channels)
            continue;
        routed = true;
        rc = join(core, record, routes[i]);
    }
    core->stats.unrouted += !routed;
    return rc;
}

int core_route(struct core *core, struct record *record)
{
    const struct route *routes[ROUTE_TAKERS_MAX];
    size_t n = route_find(core->settings->route, &record->topic, record->severity, routes);
    int rc = 0;

    mark(core, record, routes, n);
    if (record->state != ALERT_RESOLVED)
        rc = join_all(core, record, routes, n);
    hand_over(core, record);
    return rc;
}
