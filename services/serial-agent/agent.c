#include "agent.h"

#include "log.h"
#include "settings_keep.h"
#include "station.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent {
    struct station_context context; /* its backlog is owned */
    struct station **stations;      /* owned array, beside the settings' boards */
    size_t n_stations;
};

static void on_sample(void *self, struct health *health)
{
    struct agent *agent = self;
    size_t online = 0;

    for (size_t i = 0; i < agent->n_stations; i++) {
        station_count(agent->stations[i]);
        online += station_online(agent->stations[i]);
    }
    health_set(health, "boards", (double)agent->n_stations);
    health_set(health, "boards_online", (double)online);
}

/* Of `stations`, the one that goes by this configuration, taken out of them; NULL where there is
 * none. */
static struct station *take_same(struct station **stations, size_t n,
                                 const struct board_config *config)
{
    for (size_t i = 0; i < n; i++) {
        struct station *station = stations[i];

        if (!station || station_config(station) != config)
            continue;
        stations[i] = NULL;
        return station;
    }
    return NULL;
}

/* Puts a station beside each board: out of `before` where there is one that goes by its
 * configuration, else a new one. */
static int open_stations(struct agent *agent, const struct settings *settings,
                         struct station **before, size_t n_before)
{
    int error = 0;

    agent->n_stations = 0;
    agent->stations = calloc(settings->n_boards + 1, sizeof(*agent->stations));
    if (!agent->stations)
        return -ENOMEM;
    for (size_t i = 0; i < settings->n_boards && error == 0; i++) {
        struct station *kept = take_same(before, n_before, settings->boards[i]);

        if (kept)
            agent->stations[i] = kept;
        else
            error = station_open(&agent->stations[i], &agent->context, settings->boards[i]);
        agent->n_stations += error == 0;
    }
    return error;
}

int agent_start(void **out, struct service *service, const void *settings)
{
    const struct settings *all = settings;
    struct agent *agent = calloc(1, sizeof *agent);
    int error;

    if (!agent)
        return -ENOMEM;
    agent->context = (struct station_context){.loop = service_loop(service),
                                              .mqtt = service_mqtt(service),
                                              .health = service_health(service),
                                              .state_dir = service_state_dir(service)};
    error = backlog_open(&agent->context.backlog, service, &all->backlog);
    if (error == 0)
        error = open_stations(agent, all, NULL, 0);
    if (error == 0)
        error = health_on_sample(agent->context.health, on_sample, agent);
    if (error) {
        agent_close(agent);
        return error;
    }
    *out = agent;
    return 0;
}

/* Before any is opened: a port is free then, and a device that changed is not closed after it was
 * opened. */
static void part_with_changed(struct agent *agent, const struct settings *fresh)
{
    for (size_t i = 0; i < agent->n_stations; i++) {
        const struct board_config *own = station_config(agent->stations[i]);
        const struct board_config *next = settings_find(fresh, own);

        if (next == own)
            continue;
        station_part(agent->stations[i], next);
        station_close(agent->stations[i]);
        agent->stations[i] = NULL;
    }
}

/* Boards of which nothing was changed are not touched: their ports stay open, since to open one may
 * reset what is on it. */
int agent_reload(void *self, void *fresh, void *old)
{
    struct agent *agent = self;
    const struct settings *settings = fresh;
    struct station **before = agent->stations;
    size_t n_before = agent->n_stations;
    int error;

    backlog_reload(agent->context.backlog, &settings->backlog);
    settings_keep(fresh, old);
    part_with_changed(agent, settings);
    error = open_stations(agent, settings, before, n_before);
    for (size_t i = 0; i < n_before; i++)
        station_close(before[i]); /* where it fails only */
    free(before);
    if (error)
        log_error("reload_failed", "reason=\"%s\"", strerror(-error));
    return error;
}

void agent_close(void *self)
{
    struct agent *agent = self;

    if (!agent)
        return;
    health_off_sample(agent->context.health, agent);
    for (size_t i = 0; i < agent->n_stations; i++)
        station_close(agent->stations[i]);
    free(agent->stations);
    backlog_close(agent->context.backlog);
    free(agent);
}

void agent_on_link(void *self, bool up)
{
    struct agent *agent = self;

    for (size_t i = 0; up && i < agent->n_stations; i++)
        station_announce(agent->stations[i]);
}

void agent_drain(void *self)
{
    struct agent *agent = self;

    for (size_t i = 0; i < agent->n_stations; i++)
        station_drain(agent->stations[i]);
}

bool agent_drained(void *self)
{
    const struct agent *agent = self;

    for (size_t i = 0; i < agent->n_stations; i++)
        if (!station_drained(agent->stations[i]))
            return false;
    return true;
}

bool agent_working(void *self, char *why, size_t size)
{
    const struct agent *agent = self;

    for (size_t i = 0; i < agent->n_stations; i++)
        if (station_online(agent->stations[i]))
            return true;
    snprintf(why, size, "no board answers");
    return false;
}
