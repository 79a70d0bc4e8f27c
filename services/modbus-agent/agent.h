/* The modbus-agent as the service runs it: a thread a bus, a device a unit. See service.h for what
 * each of these is called for. */
#ifndef AGENT_H
#define AGENT_H

#include "service.h"

int agent_start(void **self, struct service *service, const void *settings);
int agent_reload(void *self, void *fresh, void *old);
void agent_on_link(void *self, bool up);
void agent_drain(void *self);
bool agent_drained(void *self);
void agent_close(void *self);
bool agent_working(void *self, char *why, size_t size);

#endif
