/* From the broker into the spool: the subscriptions, and whether the broker serves them. */
#ifndef INLET_H
#define INLET_H

#include "service.h"
#include "settings.h"
#include "spool.h"
#include "stats.h"
#include "tracker.h"

struct inlet;

struct inlet_options { /* all borrowed until the end */
    struct service *service;
    const struct settings *settings;
    struct spool *spool;
    struct tracker *tracker; /* takes note of what comes */
    struct stats *stats;     /* NULL where no questions are answered */
};

int inlet_open(struct inlet **out, const struct inlet_options *options); /* 0 or -errno */

/* Takes nothing more in; what is on its way stays with the broker. */
void inlet_drain(struct inlet *inlet);

/* False where the library still holds a part of it: it is left behind, and so must the spool be. */
bool inlet_close(struct inlet *inlet);

void inlet_on_link(struct inlet *inlet, bool up); /* the service's own connection */
void inlet_sample(struct inlet *inlet, struct health *health);
bool inlet_working(const struct inlet *inlet, char *why, size_t size);

#endif
