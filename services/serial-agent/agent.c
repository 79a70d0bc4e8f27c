#include "agent.h"

#include "settings.h"
#include "station.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct agent {
    struct health *health; /* borrowed */
    struct backlog *backlog;
    size_t n_stations;
    struct station *stations[];
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

int agent_start(void **out, struct service *service, const void *settings)
{
    const struct settings *all = settings;
    struct station_context context = {.loop = service_loop(service),
                                      .mqtt = service_mqtt(service),
                                      .health = service_health(service),
                                      .state_dir = service_state_dir(service)};
    struct agent *agent = calloc(1, sizeof *agent + all->n_boards * sizeof agent->stations[0]);
    int error = agent ? 0 : -ENOMEM;

    if (error)
        return error;
    agent->health = context.health;
    error = backlog_open(&agent->backlog, service, &all->backlog);
    context.backlog = agent->backlog;
    while (error == 0 && agent->n_stations < all->n_boards) {
        error = station_open(&agent->stations[agent->n_stations], &context,
                             &all->boards[agent->n_stations]);
        agent->n_stations += error == 0;
    }
    if (error == 0)
        error = health_on_sample(agent->health, on_sample, agent);
    if (error) {
        agent_close(agent);
        return error;
    }
    *out = agent;
    return 0;
}

void agent_close(void *self)
{
    struct agent *agent = self;

    if (!agent)
        return;
    health_off_sample(agent->health, agent);
    for (size_t i = 0; i < agent->n_stations; i++)
        station_close(agent->stations[i]);
    backlog_close(agent->backlog);
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
