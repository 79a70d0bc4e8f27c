/* serial-agent's part of the service: all boards of the configuration; as service.h wants it. */
#ifndef AGENT_H
#define AGENT_H

#include "service.h"

#include <stdbool.h>
#include <stddef.h>

int agent_start(void **out, struct service *service, const void *settings);
int agent_reload(void *self, void *fresh, void *old);
void agent_on_link(void *self, bool up);
void agent_drain(void *self);
bool agent_drained(void *self);
bool agent_working(void *self, char *why, size_t size);
void agent_close(void *self);

#endif
