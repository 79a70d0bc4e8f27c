/* One board of the configuration at work: its link, its conversation, its device and its actuators
 * on MQTT. On the loop. */
#ifndef STATION_H
#define STATION_H

#include "health.h"
#include "loop.h"
#include "mqtt.h"
#include "settings.h"

#include <stdbool.h>

struct station;

struct station_context { /* all borrowed */
    struct loop *loop;
    struct mqtt *mqtt;
    struct backlog *backlog;
    struct health *health;
    const char *state_dir;
};

/* `config` is borrowed. Returns 0 or -errno. */
int station_open(struct station **out, const struct station_context *context,
                 const struct board_config *config);
void station_close(struct station *station); /* takes NULL */

/* Before station_close(), where the agent goes on: `next` is what the device is from now on, NULL
 * where there is no such device any more. A write that is under way and commands that wait are
 * answered, and what it will not publish again is taken out of the broker. */
void station_part(struct station *station, const struct board_config *next);

const struct board_config *station_config(const struct station *station); /* borrowed */

void station_announce(
    struct station *station);                /* on link up: says again what the broker may lack */
void station_drain(struct station *station); /* takes no more commands */
bool station_drained(const struct station *station); /* no write is in flight */
bool station_online(const struct station *station);

/* Adds what was counted since the last time to the health's counters. */
void station_count(struct station *station);

#endif
