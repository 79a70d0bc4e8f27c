#include "live_health.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* The engine's own totals, by their place in its stats. */
static const struct {
    const char *name;
    size_t offset;
} totals[] = {
    {"messages.of_other_shards", offsetof(struct engine_stats, others)},
    {"readings", offsetof(struct engine_stats, readings)},
    {"readings.retained", offsetof(struct engine_stats, retained)},
    {"readings.old", offsetof(struct engine_stats, old)},
    {"readings.missing", offsetof(struct engine_stats, missing)},
    {"readings.duplicate", offsetof(struct engine_stats, duplicates)},
    {"steps", offsetof(struct engine_stats, steps)},
    {"steps.unknown", offsetof(struct engine_stats, unknown)},
    {"commands", offsetof(struct engine_stats, commands)},
    {"commands.value_unknown", offsetof(struct engine_stats, unknown_values)},
    {"commands.retried", offsetof(struct engine_stats, retried)},
    {"commands.failed", offsetof(struct engine_stats, failed)},
    {"steps.held", offsetof(struct engine_stats, held)},
    {"alerts", offsetof(struct engine_stats, alerts)},
    {"alerts.of_no_rule", offsetof(struct engine_stats, ended)},
    {"derived", offsetof(struct engine_stats, derived)},
    {"dropped.no_memory", offsetof(struct engine_stats, no_memory)},
};
enum { N_TOTALS = sizeof(totals) / sizeof(totals[0]) };

static const char *const count_names[LIVE_N_COUNTS] = {
    [LIVE_BAD_PAYLOAD] = "dead.bad_payload",   [LIVE_NOT_PUBLISHED] = "dropped.not_published",
    [LIVE_MEMORY_LOST] = "memory.not_written", [LIVE_MEMORY_DAMAGED] = "memory.damaged_lines",
    [LIVE_RESULT_OK] = "results.ok",           [LIVE_RESULT_FAILED] = "results.failed",
};

struct live_health {
    struct health *health;
    const struct engine *engine;
    const struct announcer *announcer;
    health_counter *counts[LIVE_N_COUNTS];
    health_counter *of_totals[N_TOTALS];
    uint64_t told[N_TOTALS]; /* of each total, what its counter has had: a reload starts at 0 */
    health_counter *not_written;
    uint64_t told_not_written;
};

static void sample(void *context, struct health *health)
{
    struct live_health *self = context;
    struct engine_stats stats = engine_stats(self->engine);
    for (size_t i = 0; i < N_TOTALS; i++) {
        uint64_t total = *(const uint64_t *)((const char *)&stats + totals[i].offset);
        health_raise(self->of_totals[i], total - self->told[i]);
        self->told[i] = total;
    }
    health_raise(self->not_written, self->announcer->n_failed - self->told_not_written);
    self->told_not_written = self->announcer->n_failed;
    health_set(health, "instances", (double)stats.instances);
    health_set(health, "rules_active", (double)stats.active);
}

int live_health_open(struct live_health **out, struct health *health, const struct engine *engine,
                     const struct announcer *announcer)
{
    struct live_health *self = calloc(1, sizeof(*self));
    if (!self)
        return -ENOMEM;
    self->health = health;
    self->engine = engine;
    self->announcer = announcer;
    for (size_t i = 0; i < LIVE_N_COUNTS; i++)
        self->counts[i] = health_count(health, count_names[i]);
    for (size_t i = 0; i < N_TOTALS; i++)
        self->of_totals[i] = health_count(health, totals[i].name);
    self->not_written = health_count(health, "dropped.not_written");
    if (health_on_sample(health, sample, self) < 0) {
        free(self);
        return -ENOMEM;
    }
    *out = self;
    return 0;
}

void live_health_close(struct live_health *self)
{
    if (!self)
        return;
    sample(self, self->health); /* what came since the last time is not lost over a reload */
    health_off_sample(self->health, self);
    free(self);
}

void live_health_raise(struct live_health *self, enum live_count count)
{
    health_raise(self->counts[count], 1);
}
