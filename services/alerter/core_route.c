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

bool core_routed(const struct core *core, const struct member *member)
{
    const struct route *routes[ROUTE_TAKERS_MAX];
    const struct record *record = member->record;
    size_t n = route_find(core->settings->route, &record->topic, record->severity, routes);

    return takes(member->group, record, routes, n);
}

static int join(struct core *core, struct record *record, const struct route *route)
{
    struct group *group = groups_get(&core->groups, route, record);

    if (!group)
        return -ENOMEM;
    if (member_find(record, group) || member_join(group, record))
        return 0;
    if (!group->first)
        groups_remove(&core->groups, group);
    return -ENOMEM;
}

/* Marks who has lost the alert and who has it back. */
static void mark(struct record *record, const struct route *const routes[], size_t n)
{
    for (struct member *m = record->members; m; m = m->next_of_record) {
        bool moved = !takes(m->group, record, routes, n);

        if (m->moved && !moved)
            member_renew(m);
        if (moved && !m->moved)
            m->told &= ~TOLD(ITEM_MOVED);
        m->moved = moved;
        m->covered = 0;
    }
}

static void leave_untold(struct core *core, struct record *record)
{
    struct member *next;

    for (struct member *m = record->members; m; m = next) {
        next = m->next_of_record;
        if (m->moved && !m->told)
            core_leave(core, m);
    }
}

void core_cover(struct record *record)
{
    uint32_t channels = 0;

    for (const struct member *m = record->members; m; m = m->next_of_record)
        if (!m->moved && (m->told || record->state != ALERT_RESOLVED))
            channels |= member_channels(m, ITEM_RESOLVED);
    for (struct member *m = record->members; m; m = m->next_of_record)
        m->covered = m->moved ? channels : 0;
}

void core_leave(struct core *core, struct member *member)
{
    struct group *group = member->group;

    member_leave(member);
    if (!group->first && !group->forgotten)
        groups_remove(&core->groups, group);
}

int core_route(struct core *core, struct record *record)
{
    const struct route *routes[ROUTE_TAKERS_MAX];
    size_t n = route_find(core->settings->route, &record->topic, record->severity, routes);
    bool routed = false;
    int rc = 0;

    mark(record, routes, n);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!routes[i]->channels)
            continue;
        routed = true;
        rc = join(core, record, routes[i]);
    }
    leave_untold(core, record);
    core_cover(record);
    core->stats.unrouted += !routed;
    return rc;
}
