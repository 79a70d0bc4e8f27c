#include "core_health.h"

#include <stdio.h>

#define NAME_SIZE 64

static void count(struct health *health, const char *name, uint64_t now, uint64_t before)
{
    health_raise(health_count(health, name), now - before);
}

static void set_lives(const struct core *core, int64_t time_ms, struct health *health)
{
    size_t lives[CORE_LIVES];
    char name[NAME_SIZE];

    core_count(core, time_ms, lives);
    for (int i = 0; i < CORE_LIVES; i++) {
        snprintf(name, sizeof name, "alerts_%s", core_life_name((enum core_life)i));
        health_set(health, name, (double)lives[i]);
    }
}

void core_health_sample(const struct core *core, int64_t time_ms, struct core_stats *told,
                        struct health *health)
{
    struct core_stats now = core_stats(core);

    set_lives(core, time_ms, health);
    health_set(health, "alerts_known", (double)now.known);
    health_set(health, "groups", (double)now.groups);
    health_set(health, "silences", (double)now.silences);
    count(health, "alerts", now.alerts, told->alerts);
    count(health, "alerts.no_news", now.no_news, told->no_news);
    count(health, "alerts.over_before_told", now.brief, told->brief);
    count(health, "alerts.forgotten", now.forgotten, told->forgotten);
    count(health, "alerts.deleted", now.deleted, told->deleted);
    count(health, "alerts.not_announced", now.lost_alerts, told->lost_alerts);
    count(health, "acknowledged", now.acknowledged, told->acknowledged);
    count(health, "held_by_limit", now.held, told->held);
    count(health, "dropped.no_route", now.unrouted, told->unrouted);
    count(health, "dropped.no_memory", now.lost, told->lost);
    *told = now;
}
