#include "group.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct group *)left)->key, ((const struct group *)right)->key);
}

void groups_free(struct groups *groups)
{
    while (groups->tree) {
        struct group *group = *(struct group **)groups->tree;

        while (group->first)
            member_leave(group->first);
        groups_remove(groups, group);
    }
    agenda_free(&groups->agenda);
    *groups = (struct groups){0};
}

/* "hall/line_1": values in a fixed order. Three names of up to 64 characters and a severity fit. */
static void make_label(char out[NOTIFICATION_GROUP_SIZE], unsigned by, const struct record *record)
{
    const char *const values[] = {record->topic.location, record->topic.device, record->topic.name,
                                  alert_severity_name(record->severity)};
    size_t length = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
        if (by >> i & 1)
            length += (size_t)snprintf(out + length, NOTIFICATION_GROUP_SIZE - length, "%s%s",
                                       length ? "/" : "", values[i]);
}

static struct group *group_open(struct groups *groups, const struct route *route, const char *label,
                                char *key)
{
    struct group *group = calloc(1, sizeof *group);

    if (!group)
        return NULL;
    group->route = route;
    group->key = key;
    snprintf(group->label, sizeof group->label, "%s", label);
    group->news_ms = INT64_MAX;
    group->notified_ms = GROUP_NEVER;
    group->moment.order = groups->made++;
    if (agenda_reserve(&groups->agenda, groups->n + 1) < 0 ||
        !tsearch(group, &groups->tree, compare)) {
        free(group);
        return NULL;
    }
    groups->n++;
    return group;
}

struct group *groups_restore(struct groups *groups, const struct route *route, const char *label)
{
    struct group wanted, *const *found, *group;

    if (asprintf(&wanted.key, "%s\n%s", route->name, label) < 0)
        return NULL;
    found = tfind(&wanted, &groups->tree, compare);
    group = found ? *found : group_open(groups, route, label, wanted.key);
    if (found || !group)
        free(wanted.key);
    return group;
}

struct group *groups_get(struct groups *groups, const struct route *route,
                         const struct record *record)
{
    char label[NOTIFICATION_GROUP_SIZE];

    make_label(label, route->group_by, record);
    return groups_restore(groups, route, label);
}

bool group_takes(const struct group *group, const struct record *record)
{
    char label[NOTIFICATION_GROUP_SIZE];

    make_label(label, group->route->group_by, record);
    return strcmp(label, group->label) == 0;
}

void groups_remove(struct groups *groups, struct group *group)
{
    agenda_remove(&groups->agenda, &group->moment);
    tdelete(group, &groups->tree, compare);
    groups->n--;
    free(group->key);
    free(group);
}

struct walk {
    groups_fn *on_group;
    void *self;
};

static void on_node(const void *node, VISIT visit, void *self)
{
    const struct walk *walk = self;

    if (visit == postorder || visit == leaf) /* once each, in the order of keys */
        walk->on_group(walk->self, *(struct group *const *)node);
}

void groups_each(const struct groups *groups, groups_fn *on_group, void *self)
{
    struct walk walk = {on_group, self};

    twalk_r(groups->tree, on_node, &walk);
}

void groups_hasten(struct groups *groups, struct group *group, int64_t at_ms)
{
    if (group->moment.place == 0 || at_ms < group->moment.at_ms)
        agenda_set(&groups->agenda, &group->moment, at_ms);
}

void groups_schedule(struct groups *groups, struct group *group, int64_t at_ms)
{
    if (at_ms == INT64_MAX)
        agenda_remove(&groups->agenda, &group->moment);
    else
        agenda_set(&groups->agenda, &group->moment, at_ms);
}

struct member *member_join(struct group *group, struct record *record)
{
    struct member *member = calloc(1, sizeof *member);

    if (!member)
        return NULL;
    member->record = record;
    member->group = group;
    member->next_of_record = record->members;
    record->members = member;
    member->previous = group->last;
    if (group->last)
        group->last->next = member;
    else
        group->first = member;
    group->last = member;
    group->n++;
    return member;
}

struct member *member_find(const struct record *record, const struct group *group)
{
    struct member *member = record->members;

    while (member && member->group != group)
        member = member->next_of_record;
    return member;
}

void member_leave(struct member *member)
{
    struct group *group = member->group;
    struct member **at = &member->record->members;

    while (*at != member)
        at = &(*at)->next_of_record;
    *at = member->next_of_record;
    if (member->previous)
        member->previous->next = member->next;
    else
        group->first = member->next;
    if (member->next)
        member->next->previous = member->previous;
    else
        group->last = member->previous;
    group->n--;
    free(member);
}

/* What the alert is, in the words of a notification. */
static enum item_state state_of(const struct member *member)
{
    const struct record *record = member->record;

    if (record->flap.on)
        return member->moved ? ITEM_MOVED : ITEM_FLAPPING;
    if (record->state == ALERT_RESOLVED)
        return record->removed ? ITEM_REMOVED : ITEM_RESOLVED;
    if (record->state == ALERT_FIRING && record->acknowledged)
        return ITEM_ACKNOWLEDGED;
    return member->moved ? ITEM_MOVED : (enum item_state)record->state;
}

bool member_news(const struct member *member, enum item_state *out)
{
    const struct record *record = member->record;

    *out = state_of(member);
    if (item_is_end(*out) && !member->owed)
        return false; /* an end tells nothing to who never heard of the alert */
    if (record->acknowledged && !item_is_end(*out) && !(member->told & TOLD(ITEM_ACKNOWLEDGED)))
        *out = ITEM_ACKNOWLEDGED;
    return !(member->told & TOLD(*out));
}

uint32_t member_channels(const struct member *member, enum item_state state)
{
    const struct route *route = member->group->route;
    uint32_t channels = route->channels;

    if (item_is_end(state) || member->moved)
        return member->owed;
    for (unsigned i = 0; i < member->step; i++)
        channels |= route->steps[i].channels;
    return state == ITEM_ACKNOWLEDGED ? channels | member->owed : channels;
}

void member_note(struct member *member, enum item_state state, uint32_t channels)
{
    member->told |= TOLD(state);
    member->owed = item_is_end(state) ? 0 : member->owed | channels;
    for (struct member *m = member->record->members; m; m = m->next_of_record)
        if (m->moved && m != member)
            m->owed &= ~member->owed;
}

/* With its severity, and without a word that others are told now. */
static bool was_told_as_it_is(const struct member *moved)
{
    return moved->severity == moved->record->severity && !(moved->told & TOLD(ITEM_MOVED));
}

void member_take_over(struct member *member, struct member *moved)
{
    const struct route *route = member->group->route;
    uint32_t shared = moved->owed & route->channels;

    if (!member->told && shared == route->channels && was_told_as_it_is(moved)) {
        member->told = moved->told;
        member->step = moved->step < route->n_steps ? moved->step : (unsigned)route->n_steps;
        member->severity = moved->severity;
        member->first_told_ms = moved->first_told_ms;
        member->told_ms = moved->told_ms;
    }
    member->owed |= shared;
    moved->owed &= ~shared;
}

void member_renew(struct member *member)
{
    member->told = 0;
    member->step = 0;
}
