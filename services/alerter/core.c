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
    core->grace_ms = INT64_MAX;
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

void core_expect_record(struct core *core, const struct record *record, int64_t time_ms)
{
    for (const struct member *m = record->members; m; m = m->next_of_record)
        core_expect_news(core, m->group, m->group->route->wait_ms, time_ms);
}

/* ---- silences ---- */

int core_silence(struct core *core, const struct silence *silence)
{
    return silences_put(&core->silences, silence);
}

static void look_now(void *self, struct group *group)
{
    struct core *core = self;

    groups_hasten(&core->groups, group, core->time_ms);
}

void core_look(struct core *core)
{
    groups_each(&core->groups, look_now, core);
}

/* What it held is told at once. */
void core_lift(struct core *core, const char *name, int64_t time_ms)
{
    if (!silences_lift(&core->silences, name))
        return;
    core_look(core);
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

    if (core->grace_ms < groups_ms)
        groups_ms = core->grace_ms;
    return groups_ms < limits_ms ? groups_ms : limits_ms;
}

void core_tick(struct core *core, int64_t time_ms)
{
    if (time_ms < core->time_ms - CLOCK_NOISE_MS)
        core_shift(core, core->time_ms - time_ms);
    core->time_ms = time_ms;
    silences_expire(&core->silences, time_ms);
    if (core->grace_ms <= time_ms) {
        core->grace_ms = inhibitor_next_ms(core->inhibitor, time_ms);
        core_look(core);
    }
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
