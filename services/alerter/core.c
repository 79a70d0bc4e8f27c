#include "core_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_NOISE_MS 1000 /* what a clock that is being set right may go back */

static int open_channels(struct core *core)
{
    size_t n = core->settings->n_channels;
    int rc;

    core->channels = calloc(n ? n : 1, sizeof *core->channels);
    rc = core->channels ? agenda_reserve(&core->limits, n) : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        core->channels[i].moment.order = i;
        rc = limit_open(&core->channels[i].limit, (size_t)core->settings->channels[i].max_per_hour);
    }
    return rc;
}

static int open_silences(struct core *core)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < core->settings->n_silences; i++) {
        struct silence copy;

        rc = silence_copy(&copy, &core->settings->silences[i]);
        if (rc == 0 && (rc = silences_put(&core->silences, &copy)) < 0)
            silence_free(&copy);
    }
    return rc;
}

int core_open(struct core **out, const struct settings *settings,
              const struct core_handlers *handlers, void *self)
{
    struct core *core = calloc(1, sizeof *core);
    int rc;

    if (!core)
        return -ENOMEM;
    core->settings = settings;
    core->handlers = handlers;
    core->self = self;
    rc = book_open(&core->book, (size_t)settings->remember);
    if (rc == 0)
        rc = inhibitor_open(&core->inhibitor, settings->inhibit, settings->n_inhibit);
    if (rc == 0)
        rc = open_channels(core);
    if (rc == 0)
        rc = open_silences(core);
    if (rc < 0) {
        core_close(core);
        return rc;
    }
    *out = core;
    return 0;
}

void core_close(struct core *core)
{
    if (!core)
        return;
    groups_free(&core->groups);
    silences_free(&core->silences);
    inhibitor_close(core->inhibitor);
    book_close(core->book);
    for (size_t i = 0; core->channels && i < core->settings->n_channels; i++)
        limit_free(&core->channels[i].limit);
    free(core->channels);
    agenda_free(&core->limits);
    free(core->tellings);
    free(core);
}

void core_expect_news(struct core *core, struct group *group, int64_t wait_ms, int64_t time_ms)
{
    int64_t at_ms = time_ms + wait_ms;

    if (group->notified_ms != GROUP_NEVER && at_ms < group->notified_ms + group->route->interval_ms)
        at_ms = group->notified_ms + group->route->interval_ms;
    if (group->news_ms <= time_ms || at_ms < group->news_ms)
        group->news_ms = at_ms;
    groups_hasten(&core->groups, group, group->news_ms);
}

/* ---- an alert ---- */

/* What is still to be told of the record, its groups count once it is gone. */
static void count_untold(struct core *core, const struct record *record, int64_t time_ms)
{
    for (const struct member *m = record->members; m; m = m->next_of_record) {
        enum item_state state;

        if (!member_news(m, &state))
            continue;
        m->group->forgotten++;
        core_expect_news(core, m->group, m->group->route->wait_ms, time_ms);
    }
}

static void remove_record(struct core *core, struct record *record)
{
    while (record->members) {
        struct group *group = record->members->group;

        member_leave(record->members);
        if (!group->first && !group->forgotten)
            groups_remove(&core->groups, group);
    }
    inhibitor_update(core->inhibitor, record, true);
    book_remove(core->book, record);
}

static void make_room(struct core *core, const struct topic *topic, int64_t time_ms)
{
    struct record *oldest;

    if (!book_full(core->book) || book_find(core->book, topic))
        return;
    oldest = book_oldest(core->book);
    core->stats.forgotten += oldest->state != ALERT_RESOLVED;
    count_untold(core, oldest, time_ms);
    remove_record(core, oldest);
}

int core_join(struct core *core, struct record *record)
{
    const struct route *routes[ROUTE_TAKERS_MAX];
    size_t n = route_find(core->settings->route, &record->topic, record->severity, routes);
    bool routed = false;

    for (size_t i = 0; i < n; i++) {
        struct group *group;

        if (!routes[i]->channels)
            continue;
        routed = true;
        group = groups_get(&core->groups, routes[i], record);
        if (!group)
            return -ENOMEM;
        if (!member_find(record, group) && !member_join(group, record)) {
            if (!group->first)
                groups_remove(&core->groups, group);
            return -ENOMEM;
        }
    }
    core->stats.unrouted += !routed;
    return 0;
}

/* The picture alone: nobody is to hear of it. */
static void note_known(struct record *record, int64_t time_ms)
{
    for (struct member *m = record->members; m; m = m->next_of_record) {
        enum item_state state;

        while (member_news(m, &state))
            m->told |= TOLD(state);
        m->first_told_ms = m->told_ms = time_ms;
    }
}

static void expect_news(struct core *core, struct record *record, int64_t time_ms)
{
    for (struct member *m = record->members; m; m = m->next_of_record)
        core_expect_news(core, m->group, m->group->route->wait_ms, time_ms);
}

static int take_change(struct core *core, struct record *record, enum book_news news, bool graver,
                       int64_t time_ms)
{
    bool calm = !record->flap.on;
    bool turned = news == BOOK_EPISODE || record->state == ALERT_RESOLVED;
    bool flaps = turned && flap_change(&record->flap, &core->settings->flap, time_ms);

    if (flaps || graver || (news == BOOK_EPISODE && calm))
        for (struct member *m = record->members; m; m = m->next_of_record) {
            member_renew(m);
            m->step = 0;
        }
    if (record->state == ALERT_RESOLVED)
        return 0;
    return core_join(core, record);
}

int core_alert(struct core *core, const struct topic *topic, const struct alert *alert, bool known,
               int64_t time_ms)
{
    struct record *record;
    enum book_news news;
    bool graver;
    int rc;

    core->stats.alerts++;
    make_room(core, topic, time_ms);
    record = book_get(core->book, topic);
    if (!record)
        return -ENOMEM;
    news = book_compare(record, alert);
    graver = alert->severity > record->severity;
    if (news < BOOK_CHANGED)
        core->stats.no_news++;
    if (news == BOOK_OLD)
        return 0;
    rc = book_write(core->book, record, alert);
    if (rc < 0 || news == BOOK_SAME)
        return rc;
    rc = take_change(core, record, news, graver, time_ms);
    if (inhibitor_update(core->inhibitor, record, false) < 0)
        rc = -ENOMEM;
    if (known)
        note_known(record, time_ms);
    expect_news(core, record, time_ms);
    core_tick(core, time_ms);
    return rc;
}

int core_forget(struct core *core, const struct topic *topic)
{
    struct record *record = book_find(core->book, topic);

    if (!record)
        return -ENOENT;
    core->stats.deleted++;
    remove_record(core, record);
    return 0;
}

int core_acknowledge(struct core *core, const struct topic *topic, const char *by,
                     const char *comment, int64_t time_ms)
{
    struct record *record = book_find(core->book, topic);
    int rc;

    if (!record || record->state == ALERT_RESOLVED)
        return -ENOENT;
    rc = book_acknowledge(record, by, comment);
    if (rc < 0)
        return rc;
    core->stats.acknowledged++;
    for (struct member *m = record->members; m; m = m->next_of_record)
        m->told &= ~TOLD(ITEM_ACKNOWLEDGED);
    expect_news(core, record, time_ms);
    core_tick(core, time_ms);
    return 0;
}

int core_silence(struct core *core, const struct silence *silence)
{
    return silences_put(&core->silences, silence);
}

static void look_now(void *self, struct group *group)
{
    struct core *core = self;

    groups_hasten(&core->groups, group, core->time_ms);
}

/* What it held is told at once. */
void core_lift(struct core *core, const char *name, int64_t time_ms)
{
    if (!silences_lift(&core->silences, name))
        return;
    groups_each(&core->groups, look_now, core);
    core_tick(core, time_ms);
}

/* ---- time ---- */

static int64_t first_ms(const struct agenda *agenda)
{
    const struct agenda_item *first = agenda_first(agenda);

    return first ? first->at_ms : INT64_MAX;
}

int64_t core_next_ms(const struct core *core)
{
    int64_t groups_ms = first_ms(&core->groups.agenda), limits_ms = first_ms(&core->limits);

    return groups_ms < limits_ms ? groups_ms : limits_ms;
}

void core_tick(struct core *core, int64_t time_ms)
{
    if (time_ms < core->time_ms - CLOCK_NOISE_MS)
        core_shift(core, core->time_ms - time_ms);
    core->time_ms = time_ms;
    silences_expire(&core->silences, time_ms);
    while (first_ms(&core->limits) <= time_ms)
        core_send_summary(core, (struct core_channel *)agenda_first(&core->limits), time_ms);
    while (first_ms(&core->groups.agenda) <= time_ms)
        core_flush(core, (struct group *)agenda_first(&core->groups.agenda), time_ms);
}

const struct record *core_find(const struct core *core, const struct topic *topic)
{
    return book_find(core->book, topic);
}

struct core_stats core_stats(const struct core *core)
{
    struct core_stats stats = core->stats;

    stats.known = book_size(core->book);
    stats.groups = core->groups.n;
    stats.silences = core->silences.n;
    return stats;
}
