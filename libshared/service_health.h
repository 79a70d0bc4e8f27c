/* Publishes a service's health every ten seconds, and keeps the file that --healthcheck reads.
 * Inside service.c. */
#ifndef SERVICE_HEALTH_H
#define SERVICE_HEALTH_H

#include "health.h"
#include "loop.h"
#include "mqtt.h"

#include <stdbool.h>

struct service_health;

/* `file` may be NULL and is copied; the rest is borrowed until the end. Returns 0 or -ENOMEM. */
int service_health_open(struct service_health **out, struct loop *loop, struct mqtt *mqtt,
                        struct health *health, const char *file);
void service_health_close(struct service_health *publisher); /* removes the file */

/* Who says whether the service does its work, with a sentence where it does not. */
typedef bool service_health_fn(void *self, char *why, size_t size);
void service_health_on_check(struct service_health *publisher, service_health_fn *is_working,
                             void *self);

void service_health_publish(struct service_health *publisher); /* now */

/* --healthcheck: 0 where the file is fresh and says "working", 1 with a sentence on standard
 * output. */
int service_health_check(const char *file);

#endif
